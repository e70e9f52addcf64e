// The result of a matmul for a row does not depend on the other rows and groups. So logits do not depend on the batch.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matmulScratchBytes, quantizedRowBytes, TILE_TOKENS } from "../../src/runtime/layout.ts";
import { isQuantized, takesWide } from "../../src/runtime/weight-types.ts";
import { ACTIVATIONS, FLOATS, QUANTIZED, typeId, weights, wholeBlocks } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation } from "../helpers/kernel-records.ts";
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
          const tileRow = r % width;
          if (isQuantized(type)) {
            const row = { src: values, columns, wide };
            memory.run("quantizeRow", { dst: x + r * xStride, ...row, width: 1, tileRow: 0 });
            memory.run("quantizeRow", { dst: tiles + (r - tileRow) * xStride, ...row, width, tileRow });
          } else
            for (const at of [x, tiles])
              memory.run("widen", { dst: at + r * xStride, src: values, count: columns, type: typeId("F32") });
        }
        const scratch = memory.reserve(matmulScratchBytes(columns));
        const stride = 64 * groups;
        const [all, single, parts] = [0, 1, 2].map(() => memory.reserve(rows * stride)) as [number, number, number];
        const multiply = (dst: number, row: number, count: number, begin: number, end: number): void => {
          const rows = { dst: dst + row * stride, src: (count === 1 ? x : tiles) + row * xStride };
          const strides = { dstStride: stride, srcStride: xStride };
          const op = memory.put(operation("matmul", { ...rows, ...strides, weights: w, type: typeId(type), columns }));
          memory.run("matmul", { op, rows: count, groupBegin: begin, groupEnd: end, scratch });
        };
        multiply(all, 0, rows, 0, groups);
        for (let r = 0; r < rows; r++) multiply(single, r, 1, 0, groups);
        const middle = Math.min(cut, groups);
        multiply(parts, 0, rows, middle, groups);
        multiply(parts, 0, rows, 0, middle);
        const expected = memory.bytes(all, rows * stride);
        expect(expected.some((byte) => byte !== 0)).toBe(true);
        expect(Buffer.compare(memory.bytes(single, rows * stride), expected)).toBe(0);
        expect(Buffer.compare(memory.bytes(parts, rows * stride), expected)).toBe(0);
      }),
      { numRuns: 100, seed: 3 },
    );
  });
});

it("all builds give the same bits over a whole matmul", () => {
  const outputs = builds.map((build) => {
    const random = new Random("builds");
    const memory = new KernelMemory(build);
    const columns = 576;
    const w = memory.put(weights(random, "Q4_0", 8, columns, { scales: "sane" }));
    const x = memory.reserve(quantizedRowBytes(columns));
    const src = memory.put(ACTIVATIONS["outlying blocks"]!(columns, random));
    memory.run("quantizeRow", { dst: x, src, columns, wide: 0, width: 1, tileRow: 0 });
    const dst = memory.reserve(8 * 64);
    const op = memory.put(operation("matmul", { dst, src: x, weights: w, type: typeId("Q4_0"), columns }));
    memory.run("matmul", { op, rows: 1, groupBegin: 0, groupEnd: 8, scratch: 0 });
    return memory.bytes(dst, 512);
  });
  expect(outputs).toHaveLength(3);
  for (const output of outputs) expect(output).toEqual(outputs[0]);
});
