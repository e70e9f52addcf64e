// Matmuls are close to results in double precision, within stated bounds.
// All builds give the same bits (reference.test.ts), so one build is enough here.
import { expect, it } from "vitest";
import { matmulScratchBytes, quantizedRowBytes } from "../../src/runtime/layout.ts";
import { takesWide } from "../../src/runtime/weight-types.ts";
import {
  ACTIVATIONS,
  codeAt,
  FLOATS,
  metaAt,
  QUANTIZED,
  typeId,
  weights,
  wholeBlocks,
} from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation } from "../helpers/kernel-records.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";
import { normalizedError } from "./normalized-error.ts";

const build = loadBuild("simd");

it.each(FLOATS)("matmulRowFloat %s stays within (K / 4 + 16) * 2^-24 * sum |w x|", (type) => {
  for (const columns of [1, 3, 31, 33, 193, 1023, 4096]) {
    const random = new Random(`${type} ${columns}`);
    const memory = new KernelMemory(build);
    const tiles = weights(random, type, 1, columns, { scales: "sane" });
    const w = memory.put(tiles);
    const x = random.normals(columns);
    const dst = memory.reserve(64);
    memory.run("matmulRowFloat", { dst, w, x: memory.put(x), columns, type: typeId(type) });
    const actual = memory.floats(dst, 16);
    const row = memory.reserve(4 * columns);
    for (let r = 0; r < 16; r++) {
      memory.run("embedRow", { dst: row, w, typeId: typeId(type), columns, row: r }); // exact: quantization.test.ts
      const values = memory.floats(row, columns);
      let truth = 0;
      let size = 0;
      for (let c = 0; c < columns; c++) {
        truth += values[c]! * x[c]!;
        size += Math.abs(values[c]! * x[c]!);
      }
      expect(Math.abs(actual[r]! - truth)).toBeLessThanOrEqual((columns / 4 + 16) * 2 ** -24 * size);
    }
  }
});

it.each(QUANTIZED)(
  "%s matmuls: float part in bounds, NMSE against unrounded activations at most 5e-5 (wide: 2e-9)",
  (type) => {
    const columns = wholeBlocks(type, 576);
    const wide = takesWide(type);
    const random = new Random(type);
    const memory = new KernelMemory(build);
    const w = memory.put(weights(random, type, 1, columns, { scales: "sane" }));
    const x = ACTIVATIONS["outlying blocks"]!(columns, random);
    const row = memory.reserve(quantizedRowBytes(columns));
    memory.run("quantizeRow", { dst: row, src: memory.put(x), columns, wide: wide ? 1 : 0, width: 1, tileRow: 0 });
    const place = { at: row, columns, width: 1, tileRow: 0 };
    const digits = Array.from({ length: columns / 32 }, (_, b) => memory.bytes(metaAt(place, b) + 24, 1)[0]);
    expect(new Set(digits)).toEqual(new Set(wide ? [0] : [1, 2])); // the outlying blocks have two
    const code = (c: number) => new Int16Array(memory.bytes(codeAt(place, c), 2).buffer)[0]!;
    const codes = Array.from({ length: columns }, (_, c) => code(c));
    const dst = memory.reserve(64);
    const scratch = memory.reserve(matmulScratchBytes(columns));
    const op = memory.put(operation("matmul", { dst, src: row, weights: w, type: typeId(type), columns }));
    memory.run("matmul", { op, rows: 1, groupBegin: 0, groupEnd: 1, scratch });
    const actual = memory.floats(dst, 16);
    const values = memory.reserve(4 * columns);
    const truth: number[] = [];
    for (let r = 0; r < 16; r++) {
      memory.run("embedRow", { dst: values, w, typeId: typeId(type), columns, row: r });
      const weight = memory.floats(values, columns);
      let [unrounded, rounded, size] = [0, 0, 0];
      for (let c = 0; c < columns; c++) {
        const [d] = memory.floats(metaAt(place, c >> 5), 1);
        unrounded += weight[c]! * x[c]!;
        rounded += weight[c]! * codes[c]! * d!;
        size += Math.abs(weight[c]! * codes[c]! * d!);
      }
      truth.push(unrounded);
      expect(Math.abs(actual[r]! - rounded)).toBeLessThanOrEqual((columns / 4 + 16) * 2 ** -24 * size);
    }
    expect(normalizedError(actual, truth)).toBeLessThan(wide ? 2e-9 : 5e-5);
  },
);
