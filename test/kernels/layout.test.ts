// assembly/layout.ts and its twin src/runtime/layout.ts give the same sizes.
import { expect, it } from "vitest";
import { rowBytes } from "../../src/formats/tensor-types.ts";
import { RESERVED_BYTES } from "../../src/runtime/kernels.ts";
import * as layout from "../../src/runtime/layout.ts";
import {
  FLOATS,
  KV,
  keyBytes,
  kvId,
  panelBytes,
  QUANTIZED,
  scalesBytes,
  typeId,
  weights,
  wholeBlocks,
} from "../helpers/kernel-data.ts";
import { Random } from "../helpers/random.ts";
import { type BuildName, canRun, loadBuild } from "../helpers/wasm-builds.ts";

const builds = (["debug", "simd", "relaxed", "threads"] as BuildName[]).filter(canRun);

it.each(builds)("%s agrees with the host", (name) => {
  const { kernels } = loadBuild(name);
  expect(kernels.heapBase!()).toBeLessThanOrEqual(RESERVED_BYTES);
  for (const type of [...QUANTIZED, ...FLOATS]) {
    for (const least of [32, 64, 576, 2048, 8192, ...(FLOATS.includes(type) ? [1, 33, 577] : [])]) {
      const columns = wholeBlocks(type, least);
      expect(kernels.groupBytes!(kernels.weightType!(typeId(type))!, columns)).toBe(layout.groupBytes(type, columns));
    }
  }
  for (let columns = 32; columns <= 16384; columns += 32) {
    expect(kernels.quantizedRowBytes!(columns)).toBe(layout.quantizedRowBytes(columns));
    expect(kernels.matmulScratchBytes!(columns)).toBe(layout.matmulScratchBytes(columns));
    const panel = panelBytes("i16", columns) + 2 * scalesBytes(columns, 16); // the largest: words, with minima
    expect(layout.matmulScratchBytes(columns)).toBeGreaterThanOrEqual(panel);
  }
  for (let rank = 1; rank < 100; rank++) expect(kernels.loraScratchBytes!(rank)).toBe(layout.loraScratchBytes(rank));
  for (let headDim = 4; headDim <= layout.MAX_HEAD_DIM; headDim += 4) {
    expect(kernels.attentionScratchBytes!(headDim)).toBe(layout.attentionScratchBytes(headDim));
    for (const kvType of KV) {
      const [keys, values] = [kernels.keyBytes!(kvId(kvType), headDim)!, kernels.valueBytes!(kvId(kvType), headDim)!];
      expect(keys).toBe(keyBytes(kvType, headDim));
      expect(keys + values).toBe(layout.kvHeadBytes(kvType, headDim));
    }
  }
});

it("tiles take no fewer bytes than the rows of a file, which are read where they will lie", () => {
  for (const type of [...QUANTIZED, ...FLOATS]) {
    expect(layout.groupBytes(type, 256)).toBeGreaterThanOrEqual(16 * rowBytes(type, 256));
  }
});

it("a matrix is its rows in whole groups", () => {
  for (const type of [...QUANTIZED, ...FLOATS]) {
    const columns = wholeBlocks(type, 64);
    expect(layout.matrixBytes(type, 33, columns)).toBe(weights(new Random(0), type, 3, columns).length);
    expect(layout.matrixBytes(type, 16, columns)).toBe(layout.groupBytes(type, columns));
  }
});
