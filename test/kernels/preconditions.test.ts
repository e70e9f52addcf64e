// A violated precondition stops the debug build with a sentence. Release builds have no assertions, because the host
// checks.
import { expect, it } from "vitest";
import { type Arguments, inOrder } from "../helpers/kernel-arguments.ts";
import { operation, queryBlock } from "../helpers/kernel-records.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const { kernels, memory } = loadBuild("debug");
const at = 65536;
const Q4_0 = 2;
const Q8_1 = 9;
const Q4_K = 12;

/** Puts a record at an address of its own. */
function put(address: number, record: Int32Array): number {
  new Int32Array(memory.buffer, address, record.length).set(record);
  return address;
}
const op = at;
const block = at + 128;
const attention = (headDim: number, heads: number, rows: number): Arguments => {
  put(op, operation("attention", { heads, kvHeads: 1, headDim, kvType: 0, window: 0 }));
  put(block, queryBlock(Array(rows).fill(0), at));
  return { op, block, kvHead: 0, scratch: at };
};
const codesRow = { dst: at, w: at, scales: at, minima: 0, x: at, type: kernels.weightType!(Q4_K)! };
const tile = { dst: at, src: at, wide: 0 };

it.each<[kernel: string, args: () => Arguments, message: string]>([
  [
    "matmulRowQ4",
    () => ({ dst: at, w: at, x: at, columns: 33, minima: 0 }),
    "matmulRow: columns must be a positive multiple of 32",
  ],
  ["matmulRowCodes", () => ({ ...codesRow, columns: 33 }), "matmulRow: columns must be a positive multiple of 32"],
  [
    "matmulRowLevels",
    () => ({ dst: at, w: at, scales: at, x: at, columns: 33, table: at }),
    "matmulRowLevels: columns must be a positive multiple of 32",
  ],
  [
    "matmulRowQ8",
    () => ({ dst: at, w: at, x: at, columns: 0 }),
    "matmulRowQ8: columns must be a positive multiple of 32",
  ],
  [
    "matmulRowFloat",
    () => ({ dst: at, w: at, x: at, columns: 0, type: 0 }),
    "matmulRowFloat: columns must be positive",
  ],
  [
    "matmulRowFloat",
    () => ({ dst: at, w: at, x: at, columns: 32, type: Q4_0 }),
    "matmulRowFloat: type must be F32, F16 or BF16",
  ],
  [
    "matmul",
    () => ({
      op: put(op, operation("matmul", { type: Q4_0, columns: 31 })),
      rows: 1,
      groupBegin: 0,
      groupEnd: 1,
      scratch: at,
    }),
    "groupBytes: columns must be whole blocks",
  ],
  [
    "lora",
    () => ({ op: put(op, operation("lora", { rank: 0, groups: 1 })), row: 0, rowScale: 1, scratch: at }),
    "lora: rank and groups must be positive",
  ],
  [
    "quantizeRow",
    () => ({ ...tile, columns: 48, width: 1, tileRow: 0 }),
    "quantizeRow: columns must be a positive multiple of 32",
  ],
  ["quantizeRow", () => ({ ...tile, columns: 32, width: 4, tileRow: 4 }), "quantizeRow: tileRow must be in the tile"],
  ["embedRow", () => ({ dst: at, w: at, typeId: Q4_0, columns: 32, row: -1 }), "embedRow: row must not be negative"],
  ["repack", () => ({ dst: at, src: at, rows: 1, columns: 256, typeId: Q8_1 }), "weightType: no kernel for this type"],
  ["repack", () => ({ dst: at, src: at, rows: 0, columns: 32, typeId: Q4_0 }), "repack: rows must be positive"],
  ["widen", () => ({ dst: at, src: at, count: 4, type: Q4_0 }), "widen: type must be F32, F16 or BF16"],
  ["rmsNorm", () => ({ dst: at, src: at, weight: 0, n: 6, eps: 1e-5 }), "rmsNorm: n must be a positive multiple of 4"],
  [
    "ropeTable",
    () => ({ dst: at, frequencies: at, pairs: 4, position: -1 }),
    "ropeTable: position must not be negative",
  ],
  ["storeCosSin", () => ({ x: 2 ** 20, cosAt: at, sinAt: at }), "storeCosSin: x must be in 0..2^20"],
  ["storeCosSin", () => ({ x: Number.NaN, cosAt: at, sinAt: at }), "storeCosSin: x must be in 0..2^20"],
  [
    "kvStore",
    () => ({ page: at, token: 32, key: at, value: at, headDim: 64, kvType: 0, scratch: at }),
    "kvStore: token must be in 0..31",
  ],
  [
    "kvStore",
    () => ({ page: at, token: 0, key: at, value: at, headDim: 12, kvType: 0, scratch: at }),
    "kvStore: headDim must be a positive multiple of 8",
  ],
  ["attention", () => attention(260, 1, 1), "attention: headDim must be a multiple of 8 up to 256"],
  ["attention", () => attention(64, 3, 6), "attention: at most 16 queries"],
  ["siluMul", () => ({ dst: at, gate: at, up: at, n: 5 }), "siluMul: n must be a multiple of 4"],
  ["geluMul", () => ({ dst: at, gate: at, up: at, n: 6 }), "geluMul: n must be a multiple of 4"],
  ["scale", () => ({ x: at, n: 3, factor: 2 }), "scale: n must be a multiple of 4"],
  [
    "scaleByPosition",
    () => ({ x: at, n: 4, position: 0, length: 0, beta: 1 }),
    "scaleByPosition: position must not be negative, and length from 1",
  ],
  ["logF64", () => ({ x: 0.5 }), "logF64: x must be in 1..2^31"],
  ["softcap", () => ({ x: at, n: 1, cap: 2 }), "softcap: n must be a multiple of 4"],
  ["add", () => ({ dst: at, x: at, n: 7 }), "add: n must be a multiple of 4"],
])("%s, case %#: %s", (kernel, args, message) => {
  expect(() => kernels[kernel]!(...inOrder(kernel, args()))).toThrow(message);
});
