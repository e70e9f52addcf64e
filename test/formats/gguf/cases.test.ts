/** Handcrafted files: all cases of llama.cpp's tests/test-gguf.cpp, then those of published vulnerabilities and issues. */
import { describe, expect, test } from "vitest";
import { readGgufHeader } from "../../../src/formats/gguf/header.ts";
import { codeOf, readModes } from "../helpers.ts";
import type { GgufFile } from "./builder.ts";
import { buildGguf, GgufType, key } from "./builder.ts";

const MAX_U64 = 2n ** 64n - 1n;
const INT32_MAX = 2 ** 31 - 1;
const name63 = "n".repeat(63);
const two = [
  { name: "a", ne: [5, 1] },
  { name: "b", ne: [7] },
];
const align = (value: number) => key.u32("general.alignment", value);
/** The given number of values with an element size, whatever they are. */
const zeros = (bytes: number) => (b: { u8(value: number): unknown }) => {
  for (let i = 0; i < bytes; i++) b.u8(0);
};

type Case = readonly [name: string, code: string, file: GgufFile | Uint8Array];

const bad: readonly Case[] = [
  ["HEADER_BAD_MAGIC", "bad_magic", { magic: "FUGG" }],
  ["HEADER_BAD_VERSION_0", "unsupported_version", { version: 0 }],
  ["HEADER_BAD_VERSION_1", "unsupported_version", { version: 1 }],
  ["HEADER_BAD_VERSION_FUTURE", "unsupported_version", { version: 4 }],
  ["HEADER_BAD_N_TENSORS", "limit_exceeded", { tensorCount: MAX_U64 }],
  ["HEADER_BAD_N_KV", "limit_exceeded", { keyCount: MAX_U64 }],
  ["KV_BAD_KEY_SIZE", "limit_exceeded", { keys: [{ ...key.u32("k", 1), keyLength: MAX_U64 }] }],
  ["KV_EMPTY_KEY", "bad_string", { keys: [key.u32("", 1)] }],
  ["KV_BAD_TYPE", "bad_type", { keys: [{ ...key.u32("k", 1), type: 13 }] }],
  ["KV_DUPLICATE_KEY", "duplicate_key", { keys: [key.u32("k", 1), key.u32("k", 1)] }],
  ["KV_BAD_ALIGN", "bad_alignment", { keys: [align(13)] }],
  ["KV_WRONG_TYPE_ALIGN", "bad_type", { keys: [{ ...align(32), type: GgufType.I32 }] }],
  ["TENSORS_BAD_NAME_SIZE", "limit_exceeded", { tensors: [{ name: `${name63}n`, ne: [1] }] }],
  ["TENSORS_BAD_N_DIMS", "bad_shape", { tensors: [{ name: "a", ne: [1, 1, 1, 1, 1] }] }],
  ["TENSORS_BAD_SHAPE", "bad_shape", { tensors: [{ name: "a", ne: [-1], byteLength: 0 }] }],
  [
    "TENSORS_NE_TOO_BIG",
    "bad_shape",
    { tensors: [{ name: "a", ne: [INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX], byteLength: 0 }] },
  ],
  ["TENSORS_NBYTES_TOO_BIG", "bad_shape", { tensors: [{ name: "a", ne: [2 ** 52], byteLength: 0 }] }],
  ["TENSORS_BAD_TYPE", "unsupported_type", { tensors: [{ name: "a", ne: [1], type: 43 }] }],
  ["TENSORS_BAD_OFFSET", "bad_offset", { tensors: [{ name: "a", ne: [1], offset: MAX_U64 }] }],
  ["TENSORS_DUPLICATE_NAME", "duplicate_key", { tensors: [two[0]!, two[0]!] }],
  ["TENSORS_BAD_ALIGN", "bad_alignment", { keys: [align(13)], tensors: two, alignment: 13 }],
  ["TENSORS_INCONSISTENT_ALIGN", "bad_offset", { keys: [align(64)], tensors: two, alignment: 32 }],
  ["DATA_NOT_ENOUGH_DATA", "truncated", { tensors: [{ name: "a", ne: [8] }], cut: 1 }],
  ["DATA_BAD_ALIGN", "bad_alignment", { keys: [align(13)], tensors: two, alignment: 13 }],
  ["DATA_INCONSISTENT_ALIGN", "bad_offset", { keys: [align(1)], tensors: two, alignment: 32 }],
  [
    "DATA_MEM_SIZE_OVERFLOW",
    "bad_shape",
    { tensors: ["a", "b"].map((name) => ({ name, ne: [0x7fffffffffffffc0n], type: 24, byteLength: 0 })) },
  ],
];

const good: readonly Case[] = [
  ["HEADER_EMPTY", "loaded", {}],
  ["KV_SUCCESS", "loaded", { keys: [key.u32("a", 1), key.string("b", ""), key.strings("c", ["", "x"])] }],
  ["TENSORS_ZERO_DIM", "loaded", { tensors: [{ name: "a", ne: [0, 3] }, { name: "c", ne: [3, 0] }, two[1]!] }],
  ["TENSORS_SUCCESS", "loaded", { tensors: [{ name: name63, ne: [1, 2, 3, 4] }, ...two] }],
  ["TENSORS_CUSTOM_ALIGN", "loaded", { keys: [align(1)], tensors: two, alignment: 1 }],
  ["DATA_SUCCESS", "loaded", { tensors: two }],
  ["DATA_CUSTOM_ALIGN", "loaded", { keys: [align(64)], tensors: two, alignment: 64 }],
];

const derived: readonly Case[] = [
  // Counts and lengths that promise more than the file has (ggml PR #1516, CVE-2024-21836, -23496, -23605).
  ["10,000,000 tensors in 24 bytes", "limit_exceeded", { tensorCount: 10_000_000 }],
  ["65,536 tensors in 24 bytes", "truncated", buildGguf({ tensorCount: 65_536 }).subarray(0, 24)],
  ["65,536 keys in 24 bytes", "truncated", buildGguf({ keyCount: 65_536 }).subarray(0, 24)],
  ["0x1D1D1D1D1D1D1D1E tensors", "limit_exceeded", { tensorCount: 0x1d1d1d1d1d1d1d1en }],
  [
    "string of 9,000,000 with 3 bytes left",
    "truncated",
    {
      keys: [{ ...key.u32("k", 0), type: GgufType.STRING, value: (b) => b.u64(9_000_000).u8(1).u8(2).u8(3) }],
      alignment: 1,
    },
  ],
  [
    "string of 2^63",
    "limit_exceeded",
    { keys: [{ ...key.u32("k", 0), type: GgufType.STRING, value: (b) => b.u64(2n ** 63n) }] },
  ],
  [
    "string of 16 MiB + 1",
    "limit_exceeded",
    { keys: [{ ...key.u32("k", 0), type: GgufType.STRING, value: (b) => b.u64(2 ** 24 + 1) }] },
  ],
  ["key of 65,536", "limit_exceeded", { keys: [{ ...key.u32("k", 0), keyLength: 65_536 }] }],
  ["array of 4,000,001", "limit_exceeded", { keys: [key.array("k", GgufType.U8, 4_000_001, zeros(4))] }],
  [
    "array of 4,000,000 u64 in a small file",
    "truncated",
    { keys: [key.array("k", GgufType.U64, 4_000_000, zeros(4))] },
  ],
  [
    "array of 4,000,000 strings in a small file",
    "truncated",
    { keys: [key.array("k", GgufType.STRING, 4_000_000, zeros(4))] },
  ],
  [
    "array of 2^61 u64: bytes wrap to 0",
    "limit_exceeded",
    { keys: [key.array("k", GgufType.U64, 2n ** 61n, zeros(4))] },
  ],
  [
    "string in an array of 2^64 - 1",
    "limit_exceeded",
    { keys: [key.array("k", GgufType.STRING, 1, (b) => b.u64(MAX_U64))] },
  ],
  [
    "string in an array past the end",
    "truncated",
    { keys: [key.array("k", GgufType.STRING, 1, (b) => b.u64(9_000_000))] },
  ],
  // Types.
  ["array of arrays", "bad_type", { keys: [key.array("k", GgufType.ARRAY, 1, (b) => b.u32(GgufType.ARRAY).u64(1))] }],
  ["array of type 13", "bad_type", { keys: [key.array("k", 13, 1, zeros(8))] }],
  ["array of type 2^32 - 1", "bad_type", { keys: [key.array("k", 2 ** 32 - 1, 1, zeros(8))] }],
  ["boolean 2", "bad_value", { keys: [key.bool("k", 2)] }],
  ["boolean 2 in an array", "bad_value", { keys: [key.array("k", GgufType.BOOL, 2, (b) => b.u8(1).u8(2))] }],
  ["u64 of 2^53", "limit_exceeded", { keys: [key.u64("k", 2n ** 53n)] }],
  ["i64 of -2^53", "limit_exceeded", { keys: [{ ...key.u64("k", -(2n ** 53n)), type: GgufType.I64 }] }],
  ["u64 of 2^64 - 1 in an array", "limit_exceeded", { keys: [key.array("k", GgufType.U64, 1, (b) => b.u64(MAX_U64))] }],
  ["ggml type 9999", "bad_type", { tensors: [{ name: "a", ne: [1], type: 9999 }] }],
  ["ggml type -1", "bad_type", { tensors: [{ name: "a", ne: [1], type: 2 ** 32 - 1 }] }],
  ["removed ggml type 4 (Q4_2)", "unsupported_type", { tensors: [{ name: "a", ne: [32], type: 4 }] }],
  ["ggml type 16 (IQ2_XXS)", "unsupported_type", { tensors: [{ name: "a", ne: [256], type: 16 }] }],
  // Text.
  ["key not UTF-8", "bad_string", { keys: [{ ...key.u32("k", 1), key: new Uint8Array([0x61, 0xff]) }] }],
  ["value not UTF-8", "bad_string", { keys: [key.string("k", new Uint8Array([0xc3]))] }],
  ["array with half a character", "bad_string", { keys: [key.strings("k", ["a", new Uint8Array([0xe2, 0x82])])] }],
  [
    "array with a character over two strings",
    "bad_string",
    { keys: [key.strings("k", [new Uint8Array([0xc4]), new Uint8Array([0xa0])])] },
  ],
  ["array with an overlong character", "bad_string", { keys: [key.strings("k", [new Uint8Array([0xc0, 0x80])])] }],
  ["array with a surrogate", "bad_string", { keys: [key.strings("k", [new Uint8Array([0xed, 0xa0, 0x80])])] }],
  ["empty tensor name", "bad_string", { tensors: [{ name: "", ne: [1] }] }],
  ["tensor name not UTF-8", "bad_string", { tensors: [{ name: new Uint8Array([0x80]), ne: [1] }] }],
  ["tensor name of 2^64 - 1", "limit_exceeded", { tensors: [{ name: "a", nameLength: MAX_U64, ne: [1] }] }],
  // Shapes (CVE-2024-21802, CVE-2026-33298, llama.cpp PR #18674, ggml PR #1517).
  ["no dimensions", "bad_shape", { tensors: [{ name: "a", ne: [], byteLength: 4 }] }],
  ["2^32 - 1 dimensions", "bad_shape", { tensors: [{ name: "a", ne: [1], dimensions: 2 ** 32 - 1 }] }],
  ["2^32 x 2^32: values wrap to 0", "bad_shape", { tensors: [{ name: "a", ne: [2 ** 32, 2 ** 32], byteLength: 0 }] }],
  ["2^62 F32: bytes wrap to 0", "bad_shape", { tensors: [{ name: "a", ne: [2n ** 62n], byteLength: 0 }] }],
  [
    "2^16 in all dimensions: values wrap to 0",
    "bad_shape",
    { tensors: [{ name: "a", ne: [65536, 65536, 65536, 65536], byteLength: 0 }] },
  ],
  ["0 x 2^40 x 2^40", "bad_shape", { tensors: [{ name: "a", ne: [0, 2 ** 40, 2 ** 40], byteLength: 0 }] }],
  ["2^42 + 1 values", "truncated", { tensors: [{ name: "a", ne: [2 ** 42 + 1], byteLength: 0 }] }],
  ["row of 33 in Q4_0", "bad_shape", { tensors: [{ name: "a", ne: [33], type: 2, byteLength: 0 }] }],
  ["row of 128 in Q4_K", "bad_shape", { tensors: [{ name: "a", ne: [128, 2], type: 12, byteLength: 0 }] }],
  // Alignment (gguf-tools #25, llama.cpp PR #26318).
  ["alignment 0", "bad_alignment", { keys: [align(0)] }],
  ["alignment 24", "bad_alignment", { keys: [align(24)] }],
  ["alignment 2^31", "bad_alignment", { keys: [align(2 ** 31)], tensors: two }],
  ["alignment 2^32 - 1", "bad_alignment", { keys: [align(2 ** 32 - 1)] }],
  ["alignment 131,072", "bad_alignment", { keys: [align(131_072)] }],
  ["alignment as an array", "bad_type", { keys: [key.array("general.alignment", GgufType.U32, 1, (b) => b.u32(32))] }],
  ["alignment as u64", "bad_type", { keys: [key.u64("general.alignment", 32)] }],
  // Offsets (CVE-2026-7482).
  ["two tensors in one place", "bad_offset", { tensors: [two[0]!, { ...two[1]!, offset: 0 }] }],
  ["a hole", "bad_offset", { tensors: [two[0]!, { ...two[1]!, offset: 96 }] }],
  ["first tensor not at 0", "bad_offset", { tensors: [{ ...two[0]!, offset: 32 }] }],
  ["misaligned", "bad_offset", { tensors: [two[0]!, { ...two[1]!, offset: 60 }] }],
  ["offset 2^53", "bad_offset", { tensors: [{ ...two[0]!, offset: 2n ** 53n }] }],
  [
    "offsets that sum above 2^53",
    "truncated",
    {
      tensors: [
        { name: "a", ne: [2 ** 50], byteLength: 0 },
        { name: "b", ne: [2 ** 50], offset: 2 ** 52, byteLength: 0 },
      ],
    },
  ],
  ["data that the file lacks", "truncated", { tensors: [{ name: "a", ne: [1024, 1024], byteLength: 64 }] }],
  // Keys.
  ["__proto__ twice", "duplicate_key", { keys: [key.u32("__proto__", 1), key.u32("__proto__", 1)] }],
  ["big-endian version", "unsupported_version", { version: 3 << 24 }],
  ["version 2^32 - 1", "unsupported_version", { version: 2 ** 32 - 1 }],
  ["empty file", "truncated", new Uint8Array(0)],
];

describe.each(readModes)("read as %s", (_, open) => {
  const read = (file: GgufFile | Uint8Array) =>
    readGgufHeader(...open(file instanceof Uint8Array ? file : buildGguf(file)));
  test.each(bad)("test-gguf.cpp %s gives %s", async (_, code, file) => {
    expect(await codeOf(read(file))).toBe(code);
  });
  test.each(good)("test-gguf.cpp %s: %s", async (_, code, file) => {
    expect(await codeOf(read(file))).toBe(code);
  });
  test.each(derived)("%s gives %s", async (_, code, file) => {
    expect(await codeOf(read(file))).toBe(code);
  });
});

test("all cases of test-gguf.cpp are here", () => {
  expect([bad.length, good.length]).toEqual([26, 7]);
});

test("a key named __proto__ is a key like any other", async () => {
  const [, open] = readModes[0]!;
  const header = await readGgufHeader(
    ...open(buildGguf({ keys: [key.strings("__proto__", ["x"]), key.u32("tensor_count", 9)] })),
  );
  expect([...header.metadata]).toEqual([
    ["__proto__", ["x"]],
    ["tensor_count", 9],
  ]);
  expect(header.tensors).toEqual([]);
});
