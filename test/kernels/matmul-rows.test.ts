// The property that batch-invariant logits rest on: a row's product does not depend on the rows and groups around it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isQuantized,
  matmulScratchBytes,
  quantizedRowBytes,
  TILE_TOKENS,
  takesWide,
} from "../../src/runtime/layout.ts";
import { ACTIVATIONS, FLOATS, QUANTIZED, typeId, weights, wholeBlocks } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { Random } from "../helpers/random.ts";
import { type BuildName, canRun, loadBuild } from "../helpers/wasm-builds.ts";

const builds = (["simd", "relaxed", "threads"] as BuildName[]).filter(canRun).map((name) => loadBuild(name));

const shape = fc.record({
  type: fc.constantFrom(...QUANTIZED, ...FLOATS),
  blocks: fc.integer({ min: 1, max: 20 }),
  groups: fc.integer({ min: 1, max: 5 }),
  rows: fc.integer({ min: 1, max: 33 }),
  cut: fc.nat(5),
  seed: fc.nat(),
});

describe.each(builds)("$name", (build) => {
  it("R rows at once, one row at a time, and groups in two parts give the same bits", () => {
    fc.assert(
      fc.property(shape, ({ type, blocks, groups, rows, cut, seed }) => {
        const random = new Random(seed);
        const memory = new KernelMemory(build);
        const columns = wholeBlocks(type, 32 * blocks);
        const w = memory.put(weights(random, type, groups, columns, { scales: "sane" }));
        const xStride = isQuantized(type) ? quantizedRowBytes(columns) : 4 * columns;
        const width = rows === 1 ? 1 : TILE_TOKENS;
        const tiles = memory.reserve(Math.ceil(rows / width) * width * xStride);
        const x = memory.reserve(rows * xStride);
        const wide = isQuantized(type) && takesWide(type) ? 1 : 0;
        for (let r = 0; r < rows; r++) {
          const values = memory.put(ACTIVATIONS[r % 2 ? "normal" : "outlying blocks"]!(columns, random));
          const slot = r % width;
          if (isQuantized(type)) {
            memory.run("quantizeRow", x + r * xStride, values, columns, wide, 1, 0);
            memory.run("quantizeRow", tiles + (r - slot) * xStride, values, columns, wide, width, slot);
          } else for (const at of [x, tiles]) memory.run("widen", at + r * xStride, values, columns, typeId("F32"));
        }
        const scratch = memory.reserve(matmulScratchBytes(columns));
        const stride = 64 * groups;
        const [all, single, parts] = [0, 1, 2].map(() => memory.reserve(rows * stride)) as [number, number, number];
        const product = (dst: number, row: number, count: number, begin: number, end: number): void => {
          memory.run(
            "matmul",
            dst + row * stride,
            stride,
            (count === 1 ? x : tiles) + row * xStride,
            xStride,
            count,
            w,
            typeId(type),
            columns,
            begin,
            end,
            scratch,
          );
        };
        product(all, 0, rows, 0, groups);
        for (let r = 0; r < rows; r++) product(single, r, 1, 0, groups);
        const middle = Math.min(cut, groups);
        product(parts, 0, rows, middle, groups);
        product(parts, 0, rows, 0, middle);
        const expected = memory.bytes(all, rows * stride);
        expect(expected.some((byte) => byte !== 0)).toBe(true);
        expect(Buffer.compare(memory.bytes(single, rows * stride), expected)).toBe(0);
        expect(Buffer.compare(memory.bytes(parts, rows * stride), expected)).toBe(0);
      }),
      { numRuns: 100, seed: 3 },
    );
  });
});

it("all builds give the same bits over a whole product", () => {
  const outputs = builds.map((build) => {
    const random = new Random("builds");
    const memory = new KernelMemory(build);
    const columns = 576;
    const w = memory.put(weights(random, "Q4_0", 8, columns, { scales: "sane" }));
    const x = memory.reserve(quantizedRowBytes(columns));
    memory.run("quantizeRow", x, memory.put(ACTIVATIONS["outlying blocks"]!(columns, random)), columns, 0, 1, 0);
    const dst = memory.reserve(8 * 64);
    memory.run("matmul", dst, 512, x, 0, 1, w, typeId("Q4_0"), columns, 0, 8, 0);
    return memory.bytes(dst, 512);
  });
  expect(outputs).toHaveLength(3);
  for (const output of outputs) expect(output).toEqual(outputs[0]);
});
