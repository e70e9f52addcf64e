// The interpreter: operations give what the kernels that they call give, with any number of threads.
import { describe, expect, it } from "vitest";
import { operation, queryBlock } from "../helpers/kernel-records.ts";
import {
  attention,
  CAP,
  COLUMNS,
  FIRST_POSITION,
  GROUPS,
  KV_HEADS,
  MOST_THREADS,
  OPERATIONS,
  OUTPUTS,
  pagesOf,
  Q4_0,
  ROWS,
  setup,
  X_STRIDE,
  Y_STRIDE,
} from "./interpreter-operations.ts";

describe.each(OPERATIONS)("%s", (_, operations) => {
  it("gives the same bits with 1, 2, 3, 7 and 16 threads", () => {
    const before = setup().run([], 1);
    const [first, ...rest] = [1, 2, 3, 7, MOST_THREADS].map((threads) => {
      const made = setup();
      return made.run(operations(made), threads);
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
    const row = { src: x + r * X_STRIDE, columns: COLUMNS, wide: 0 };
    memory.run("quantizeRow", { dst: q, ...row, width: 1, tileRow: 0 });
    const fields = { dst: y + r * Y_STRIDE, src: q, weights: w, type: Q4_0, columns: COLUMNS };
    const op = memory.put(operation("matmul", fields));
    memory.run("matmul", { op, rows: 1, groupBegin: 0, groupEnd: GROUPS, scratch: 0 });
  }
  expect(Buffer.compare(memory.bytes(y, ROWS * Y_STRIDE), actual)).toBe(0);
});

it.each([
  ["all", 0, 0],
  ["outputs", 0, 0],
  ["all", 9, 0],
  ["all", 0, 1],
  ["outputs", 0, 1],
  ["all", 3, 1],
] as const)("attention of %s rows with window %i equals a call for each row and kv head", (set, window, both) => {
  const rows = set === "outputs" ? OUTPUTS : Array.from({ length: ROWS }, (_, i) => i);
  const made = setup();
  made.run([attention(made, set, window, both)], 3);
  const actual = made.memory.bytes(made.y, ROWS * Y_STRIDE);
  const alone = setup();
  const { memory, x, y, scratch } = alone;
  rows.forEach((row, i) => {
    const pageTable = memory.put(row < 3 ? Int32Array.of(2, 0) : Int32Array.of(1, 0));
    // The last rows of the two sequences are rows 2 and 4.
    const block = memory.put(queryBlock([FIRST_POSITION + row], pageTable, FIRST_POSITION + (row < 3 ? 2 : 4)));
    const shape = { heads: 4, ...pagesOf(alone), scale: 0.3, window, softcap: CAP, bidirectional: both };
    const op = memory.put(operation("attention", { dst: y + i * Y_STRIDE, src: x + i * X_STRIDE, ...shape }));
    for (let kvHead = 0; kvHead < KV_HEADS; kvHead++) memory.run("attention", { op, block, kvHead, scratch });
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
  expect(() => setup().run([Int32Array.of(99)], 1)).toThrow(WebAssembly.RuntimeError);
});
