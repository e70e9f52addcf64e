// The interpreter: operations equal the kernels they call, and any number of threads shares them without a trace.
import { describe, expect, it } from "vitest";
import {
  attentionOperationBytes,
  kvHeadBytes,
  matmulScratchBytes,
  OP_BYTES,
  quantizedRowBytes,
} from "../../src/runtime/layout.ts";
import { kvId, typeId, weights } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const build = loadBuild("simd");
const ROWS = 5;
const OUTPUTS = [1, 4];
const COLUMNS = 64;
const GROUPS = 7;
const MOST_THREADS = 16;
const FIRST_POSITION = 30;
const X_STRIDE = 320; // wider than a row, as buffers in a program may be
const Q_STRIDE = quantizedRowBytes(COLUMNS) + 64;
const TILED_ROWS = 8; // ROWS in whole tiles
const KV_HEADS = 2;
const HEAD_DIM = 8;
const HEAD_PAGES = 3 * kvHeadBytes("int8", HEAD_DIM);
const SCRATCH = attentionOperationBytes(HEAD_DIM);
const CAP = 2;
const Y_STRIDE = 64 * GROUPS + 64;

/** Operands of an operation; a float as its bits. */
const bits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;

/** Three int8 pages of each kv head, full of tokens. */
function cache(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(KV_HEADS * HEAD_PAGES);
  const part = 32 * (4 + HEAD_DIM); // the scales and codes of keys, or of values
  for (let at = 0; at < bytes.length; at += part) {
    new Float32Array(bytes.buffer, at, 32).set(random.normals(32, 0.01).map(Math.abs));
  }
  return bytes;
}

/** Memory with a batch of five rows of which rows 1 and 4 are outputs; all addresses are the same each time. */
function setup() {
  const random = new Random("program");
  const memory = new KernelMemory(build);
  const outputs = memory.put(Int32Array.from(OUTPUTS));
  const tokens = memory.put(Int32Array.from({ length: ROWS }, (_, i) => 3 * i));
  const positions = memory.put(Int32Array.from({ length: ROWS }, (_, i) => FIRST_POSITION + i));
  // Rows 0..2 are of one sequence, 3 and 4 of another; they cross the end of a page.
  const tables = [memory.put(Int32Array.of(2, 0)), memory.put(Int32Array.of(1, 0))] as const;
  const pages = memory.put(Int32Array.from({ length: ROWS }, (_, i) => tables[i < 3 ? 0 : 1]));
  const batch = memory.put(Int32Array.of(ROWS, OUTPUTS.length, tokens, positions, pages, outputs));
  const x = memory.put(random.normals((ROWS * X_STRIDE) / 4));
  const q = memory.reserve(TILED_ROWS * Q_STRIDE);
  const y = memory.reserve(ROWS * Y_STRIDE);
  const w = memory.put(weights(random, "Q4_0", GROUPS, COLUMNS, { scales: "sane" }));
  const frequencies = memory.put(Float32Array.of(1, 0.3, 0.1, 0.03));
  const norm = memory.put(random.normals(COLUMNS));
  const kv = memory.put(cache(random));
  const all = { from: outputs, to: memory.reserve(0) };
  const scratch = memory.reserve(MOST_THREADS * Math.max(SCRATCH, matmulScratchBytes(COLUMNS)));
  const run = (operations: number[][], threads: number): Uint8Array => {
    for (const operation of operations) {
      const words = new Int32Array(OP_BYTES / 4);
      words.set(operation);
      const program = memory.put(words);
      // One operation at a time: what the barrier between operations makes of a program.
      for (let thread = threads - 1; thread >= 0; thread--) memory.run("execute", program, 1, batch, thread, threads);
    }
    return memory.bytes(all.from, all.to - all.from);
  };
  return { memory, batch, x, q, y, w, frequencies, norm, kv, scratch, run };
}

type Setup = ReturnType<typeof setup>;

/** Four heads of queries in x over two kv heads. */
const attend = ({ x, y, kv, scratch }: Setup, set: number, window = 0): number[] => [
  ...[9, set, y, Y_STRIDE, x, X_STRIDE, kv, 4, KV_HEADS, HEAD_DIM, kvId("int8")],
  ...[bits(0.3), scratch, SCRATCH, HEAD_PAGES, window, bits(CAP)],
];

type Operations = (s: Setup) => number[][];
const OPERATIONS: readonly (readonly [name: string, words: Operations])[] = [
  ["embed", ({ x, w }) => [[1, x, X_STRIDE, w, typeId("Q4_0"), COLUMNS]]],
  ["select", ({ x, y }) => [[2, y, Y_STRIDE, x, X_STRIDE, 4 * COLUMNS]]],
  ["rmsNorm of rows", ({ x, y, norm }) => [[3, 0, y, Y_STRIDE, x, X_STRIDE, norm, COLUMNS, 1, bits(1e-5)]]],
  ["rmsNorm of heads, output rows", ({ x, y }) => [[3, 1, y, Y_STRIDE, x, X_STRIDE, 0, 16, 4, bits(1e-5)]]],
  ["quantize", ({ x, q }) => [[4, 0, q, Q_STRIDE, x, X_STRIDE, COLUMNS, 0]]],
  [
    "matmul",
    ({ x, q, y, w, scratch }) => [
      [4, 0, q, Q_STRIDE, x, X_STRIDE, COLUMNS, 0],
      [5, 0, y, Y_STRIDE, q, Q_STRIDE, w, typeId("Q4_0"), COLUMNS, GROUPS, scratch, matmulScratchBytes(COLUMNS)],
    ],
  ],
  [
    "rope of output rows",
    ({ x, y, frequencies }) => [
      [6, y, Y_STRIDE, frequencies, 4],
      [7, 1, x, X_STRIDE, 4, 16, y, Y_STRIDE, 4, 0],
    ],
  ],
  ["kvStore", ({ x, kv }) => [[8, x, X_STRIDE, x + 128, X_STRIDE, KV_HEADS, HEAD_DIM, kv, kvId("int8"), HEAD_PAGES]]],
  ["attention", (s) => [attend(s, 0)]],
  ["attention of output rows", (s) => [attend(s, 1)]],
  ["attention with a window", (s) => [attend(s, 0, 9)]],
  ["siluMul", ({ x, y }) => [[10, 0, y, Y_STRIDE, x, x + 4 * 16, 32, X_STRIDE]]],
  ["geluMul", ({ x, y }) => [[12, 0, y, Y_STRIDE, x, x + 4 * 16, 32, X_STRIDE]]],
  ["scale", ({ x }) => [[13, 0, x, X_STRIDE, COLUMNS, bits(3)]]],
  ["softcap of output rows", ({ x }) => [[14, 1, x, X_STRIDE, COLUMNS, bits(0.5)]]],
  ["bias", ({ x, norm }) => [[11, 0, x, X_STRIDE, norm, 0, COLUMNS]]],
  ["add", ({ x, y }) => [[11, 0, y, Y_STRIDE, x, X_STRIDE, COLUMNS]]],
];

describe.each(OPERATIONS)("%s", (_, words) => {
  it("gives the same bits with 1, 2, 3, 7 and 16 threads", () => {
    const before = setup().run([], 1);
    const [first, ...rest] = [1, 2, 3, 7, MOST_THREADS].map((threads) => {
      const made = setup();
      return made.run(words(made), threads);
    });
    expect(Buffer.compare(first!, before)).not.toBe(0);
    for (const other of rest) expect(Buffer.compare(other, first!)).toBe(0);
  });
});

it("an operation equals the kernel calls it stands for, row by row", () => {
  const made = setup();
  made.run(OPERATIONS.find(([name]) => name === "matmul")![1](made), 3);
  const actual = made.memory.bytes(made.y, ROWS * Y_STRIDE);
  const { memory, x, q, y, w } = setup();
  for (let r = 0; r < ROWS; r++) {
    memory.run("quantizeRow", q, x + r * X_STRIDE, COLUMNS, 0, 1, 0);
    memory.run("matmul", y + r * Y_STRIDE, Y_STRIDE, q, Q_STRIDE, 1, w, typeId("Q4_0"), COLUMNS, 0, GROUPS, 0);
  }
  expect(Buffer.compare(memory.bytes(y, ROWS * Y_STRIDE), actual)).toBe(0);
});

it.each([
  [0, 0],
  [1, 0],
  [0, 9],
])("attention of row set %i with window %i equals a call for each row and kv head", (set, window) => {
  const rows = set ? OUTPUTS : Array.from({ length: ROWS }, (_, i) => i);
  const made = setup();
  made.run([attend(made, set, window)], 3);
  const actual = made.memory.bytes(made.y, ROWS * Y_STRIDE);
  const { memory, x, y, kv, scratch } = setup();
  const bytes = 8 * HEAD_DIM; // two heads of queries
  rows.forEach((row, i) => {
    const positions = memory.put(Int32Array.of(FIRST_POSITION + row));
    const pages = memory.put(row < 3 ? Int32Array.of(2, 0) : Int32Array.of(1, 0));
    for (let head = 0; head < KV_HEADS; head++) {
      const [dst, q] = [y + i * Y_STRIDE + head * bytes, x + i * X_STRIDE + head * bytes];
      const shape = [kv + head * HEAD_PAGES, HEAD_DIM, Math.fround(0.3), kvId("int8"), scratch, window, CAP];
      memory.run("attention", dst, 0, q, 0, 1, 2, positions, pages, ...shape);
    }
  });
  expect(Buffer.compare(memory.bytes(y, ROWS * Y_STRIDE), actual)).toBe(0);
  expect(actual.some((byte) => byte !== 0)).toBe(true);
});

it("rope of output rows takes the positions of the batch rows they stand for", () => {
  const made = setup();
  const before = made.memory.floats(made.x, (2 * X_STRIDE) / 4);
  made.run(OPERATIONS.find(([name]) => name === "rope of output rows")![1](made), 1);
  const after = made.memory.floats(made.x, (2 * X_STRIDE) / 4);
  OUTPUTS.forEach((row, i) => {
    const [a, b] = [before[(i * X_STRIDE) / 4]!, before[(i * X_STRIDE) / 4 + 4]!];
    const angle = FIRST_POSITION + row; // frequency 1
    expect(after[(i * X_STRIDE) / 4]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 5);
  });
});

it("an unknown operation traps", () => {
  expect(() => setup().run([[99]], 1)).toThrow(WebAssembly.RuntimeError);
});
