// A violated precondition stops the debug build with a sentence. Release builds have no assertions: the host checks.
import { expect, it } from "vitest";
import { loadBuild } from "../helpers/wasm-builds.ts";

const { kernels } = loadBuild("debug");
const at = 65536;
const Q4_0 = 2;
const Q8_1 = 9;

it.each<[kernel: string, args: number[], message: string]>([
  ["gemvQ4", [at, at, at, 33, 0], "gemvQ4: columns must be a positive multiple of 32"],
  ["gemvCodes", [at, at, at, 0, at, 33, 0, 32], "gemvCodes: columns must be a positive multiple of 32"],
  ["gemvLevels", [at, at, at, at, 33, at], "gemvLevels: columns must be a positive multiple of 32"],
  ["gemvQ8", [at, at, at, 0], "gemvQ8: columns must be a positive multiple of 32"],
  ["gemvFloat", [at, at, at, 0, 0], "gemvFloat: columns must be positive"],
  ["gemvFloat", [at, at, at, 32, Q4_0], "gemvFloat: type must be F32, F16 or BF16"],
  ["matmul", [at, 64, at, 160, 1, at, Q4_0, 31, 0, 1, at], "groupBytes: columns must be whole blocks"],
  ["quantizeRow", [at, at, 48, 0, 1, 0], "quantizeRow: columns must be a positive multiple of 32"],
  ["quantizeRow", [at, at, 32, 0, 4, 4], "quantizeRow: slot must be in the tile"],
  ["embedRow", [at, at, Q4_0, 32, -1], "embedRow: row must not be negative"],
  ["repack", [at, at, 1, 256, Q8_1], "fileBlockBytes: no kernel for this type"],
  ["repack", [at, at, 0, 32, Q4_0], "repack: rows must be positive"],
  ["widen", [at, at, 4, Q4_0], "widen: type must be F32, F16 or BF16"],
  ["rmsNorm", [at, at, 0, 6, 1e-5], "rmsNorm: n must be a positive multiple of 4"],
  ["ropeTable", [at, at, 4, -1], "ropeTable: position must not be negative"],
  ["storeCosSin", [2 ** 20, at, at], "storeCosSin: x must be in 0..2^20"],
  ["storeCosSin", [Number.NaN, at, at], "storeCosSin: x must be in 0..2^20"],
  ["kvStore", [at, 32, at, at, 64, 0], "kvStore: slot must be in 0..31"],
  ["kvStore", [at, 0, at, at, 12, 0], "kvStore: headDim must be a positive multiple of 8"],
  [
    "attention",
    [at, 0, at, 0, 1, 1, at, at, at, 260, 1, 0, at, 0, 0],
    "attention: headDim must be a multiple of 8 up to 256",
  ],
  ["attention", [at, 0, at, 0, 6, 3, at, at, at, 64, 1, 0, at, 0, 0], "attention: at most 16 queries"],
  ["siluMul", [at, at, at, 5], "siluMul: n must be a multiple of 4"],
  ["geluMul", [at, at, at, 6], "geluMul: n must be a multiple of 4"],
  ["scaleBy", [at, 3, 2], "scaleBy: n must be a multiple of 4"],
  ["softcap", [at, 1, 2], "softcap: n must be a multiple of 4"],
  ["addTo", [at, at, 7], "addTo: n must be a multiple of 4"],
])("%s(%j) says: %s", (kernel, args, message) => {
  expect(() => kernels[kernel]!(...args)).toThrow(message);
});
