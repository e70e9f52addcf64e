/**
 * The unused rows of a tile are cleared: their scales and counts of digits, on which a matmul would spend time, and
 * nothing that belongs to a used row or to another tile (assembly/kernels/quantize.ts, clearTileRow).
 */
import { describe, expect, it } from "vitest";
import { quantizedRowBytes, TILE_TOKENS } from "../../src/runtime/layout.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation } from "../helpers/kernel-records.ts";
import { Random } from "../helpers/random.ts";
import { type BuildName, canRun, loadBuild } from "../helpers/wasm-builds.ts";

/** The threads build would wait for the other threads behind the last operation; here they run one after the other. */
const builds = (["simd", "relaxed"] as BuildName[]).filter(canRun).map((name) => loadBuild(name));
const BLOCK = 32;
/** Bytes of the BlockMeta of one row, which lies behind its digits and codes (assembly/activations.ts). */
const META_BYTES = quantizedRowBytes(BLOCK) - 4 * BLOCK;
/**
 * The byte ranges of a BlockMeta that are cleared: the scale with the scale times the sum of codes, and the count of
 * digits.
 */
const CLEARED: readonly [from: number, to: number][] = [
  [0, 8],
  [24, 28],
];
/** The bytes that an earlier tensor left: they make every scale NaN and every count of digits invalid. */
const LEFT = 0xff;

describe.each(builds)("$name", (build) => {
  it.each([
    [1, 64, 0],
    [2, 32, 0],
    [3, 64, 1],
    [4, 64, 0],
    [5, 96, 0],
    [6, 64, 1],
    [7, 32, 0],
    [8, 64, 0],
  ])("%i rows of %i columns, wide %i", (rows, columns, wide) => {
    const memory = new KernelMemory(build);
    const random = new Random(`clear ${rows}`);
    const stride = quantizedRowBytes(columns);
    const width = rows === 1 ? 1 : TILE_TOKENS;
    const tiles = Math.ceil(rows / width) + 1; // one more, which nothing may touch
    const x = memory.put(random.normals(rows * columns));
    const batch = memory.put(Int32Array.of(rows, 0, 0, 0, 0, 0)); // the header's first fields
    const left = new Uint8Array(tiles * width * stride).fill(LEFT);
    const [dst, alone] = [memory.put(left), memory.put(left)];

    /** The tiles after quantizeRow of each used row, and the bytes that are the BlockMeta of unused rows. */
    const expected = (): { bytes: Uint8Array; empty: Set<number>; cleared: Set<number> } => {
      for (let r = 0; r < rows; r++) {
        const tileRow = r % width;
        const [dst, src] = [alone + (r - tileRow) * stride, x + 4 * r * columns];
        memory.run("quantizeRow", { dst, src, columns, wide, width, tileRow });
      }
      const [empty, cleared] = [new Set<number>(), new Set<number>()];
      const meta = (Math.ceil(rows / width) - 1) * width * stride + 4 * columns * width; // of the last tile
      for (let tileRow = ((rows - 1) % width) + 1; tileRow < width; tileRow++)
        for (let block = 0; block < columns / BLOCK; block++) {
          const at = meta + (block * width + tileRow) * META_BYTES;
          for (let i = 0; i < META_BYTES; i++) empty.add(at + i);
          for (const [from, to] of CLEARED) for (let i = from; i < to; i++) cleared.add(at + i);
        }
      return { bytes: memory.bytes(alone, left.length), empty, cleared };
    };

    const fields = { dst, dstStride: stride, src: x, srcStride: 4 * columns, columns, wide };
    const program = memory.put(operation("quantize", fields));
    for (const thread of [1, 0, 2]) memory.run("execute", { program, count: 1, batch, thread, threads: 3 });
    const actual = memory.bytes(dst, left.length);
    const { bytes, empty, cleared } = expected();
    expect(empty.size).toBe(rows % width === 0 ? 0 : (width - (rows % width)) * (columns / BLOCK) * META_BYTES);
    for (const [at, byte] of actual.entries()) {
      const allowed = cleared.has(at) ? [0] : empty.has(at) ? [0, LEFT] : [bytes[at]];
      if (!allowed.includes(byte)) expect({ at, byte }).toEqual({ at, byte: allowed[0] });
    }
  });
});
