/** safetensors: good files, the known-bad corpus (huggingface/safetensors tests, loaders' issues), truncation, mutation. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { parseShardIndex, readSafetensors } from "../../src/formats/safetensors.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { Bytes } from "./gguf/builder.ts";
import { codeOf, fixtures, random, readModes, recordingSource } from "./helpers.ts";

/** A file from header text and a number of data bytes. `length` may lie. */
function file(header: string | object | Uint8Array, dataBytes = 0, length?: number | bigint): Uint8Array {
  const text = typeof header === "string" || header instanceof Uint8Array ? header : JSON.stringify(header);
  return new Bytes().string(text, length).raw(new Uint8Array(dataBytes)).done();
}
const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

describe.each(readModes)("read as %s", (_, open) => {
  test.each<[string, Uint8Array]>([
    ["no tensors", file("{}")],
    ["one tensor", file({ a: f32([2, 2], 0, 16) }, 16)],
    ["listed out of order", file({ b: f32([1], 16, 20), a: f32([2, 2], 0, 16) }, 20)],
    ["scalar and empty tensors", file({ s: f32([], 0, 4), e: f32([0, 7], 4, 4), e2: f32([0], 0, 0) }, 4)],
    ["padded with spaces", file(`${JSON.stringify({ a: f32([1], 0, 4) })}       `, 4)],
    ["metadata", file({ __metadata__: { format: "pt" }, a: f32([1], 0, 4) }, 4)],
    [
      "odd types",
      file(
        {
          a: { dtype: "F4", shape: [2], data_offsets: [0, 1] },
          b: { dtype: "BOOL", shape: [3], data_offsets: [1, 4] },
        },
        4,
      ),
    ],
    ["a tensor named __proto__", file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
  ])("good: %s", async (_, bytes) => {
    expect(await codeOf(readSafetensors(...open(bytes)))).toBe("loaded");
  });

  test.each<[string, string, Uint8Array]>([
    ["empty file", "truncated", new Uint8Array(0)],
    ["seven bytes", "truncated", new Uint8Array(7)],
    ["header longer than the file", "truncated", file("{}", 0, 3)],
    ["header of 2^64 - 1", "limit_exceeded", file("{}", 0, 2n ** 64n - 1n)],
    ["header of 32 MiB + 1", "limit_exceeded", file("{}", 0, 2 ** 25 + 1)],
    ["header of 0 bytes", "bad_json", file("", 8)],
    ["header that starts with a space", "bad_json", file(" {}")],
    ["header padded with NUL (RuView #809)", "bad_json", file("{}\u0000\u0000")],
    ["header not JSON", "bad_json", file("{]")],
    ["header an array", "bad_json", file("[]")],
    ["header not UTF-8", "bad_string", file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ["header too deep", "bad_json", file('{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}', 4)],
    [
      "tensor twice",
      "duplicate_key",
      file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ),
    ],
    ["shape twice", "duplicate_key", file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4)],
    ["tensor without a name", "bad_string", file({ "": f32([1], 0, 4) }, 4)],
    ["tensor that is a number", "bad_json", file({ a: 1 })],
    ["no dtype", "bad_json", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4)],
    ["no shape", "bad_json", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4)],
    ["no offsets", "bad_json", file({ a: { dtype: "F32", shape: [1] } }, 4)],
    ["an unknown field", "bad_json", file({ a: { ...f32([1], 0, 4), stride: [1] } }, 4)],
    ["an unknown dtype", "bad_type", file({ a: { dtype: "Q4", shape: [1], data_offsets: [0, 4] } }, 4)],
    ["a fraction", "bad_json", file('{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', 4)],
    ["a dimension of -1", "bad_json", file({ a: f32([-1], 0, 4) }, 4)],
    ["an offset of -16 (go-huggingface PR #57)", "bad_json", file({ a: f32([1], -16, -12) }, 4)],
    [
      "an offset of 2^64 - 1",
      "bad_json",
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}', 4),
    ],
    ["an offset of 2^40", "bad_offset", file({ a: f32([1], 2 ** 40, 2 ** 40 + 4) }, 4)],
    ["three offsets", "bad_offset", file({ a: { ...f32([1], 0, 4), data_offsets: [0, 4, 4] } }, 4)],
    ["one offset", "bad_offset", file({ a: { ...f32([1], 0, 4), data_offsets: [0] } }, 4)],
    ["offsets the wrong way round", "bad_offset", file({ a: f32([1], 4, 0) }, 4)],
    ["2^32 x 2^32: values wrap to 0", "bad_shape", file({ a: f32([2 ** 32, 2 ** 32], 0, 0) })],
    [
      "2^62 values: bytes wrap to 0",
      "bad_json",
      file('{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}'),
    ],
    ["shape and offsets that disagree", "bad_shape", file({ a: f32([2], 0, 4) }, 4)],
    ["half a byte", "bad_shape", file({ a: { dtype: "F4", shape: [1], data_offsets: [0, 1] } }, 1)],
    [
      "ten tensors in one place",
      "bad_offset",
      file(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, f32([1], 0, 4)])), 4),
    ],
    ["an overlap", "bad_offset", file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12)],
    ["a hole", "bad_offset", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ["a hole at the start", "bad_offset", file({ a: f32([1], 4, 8) }, 8)],
    ["bytes after the last tensor", "bad_offset", file({ a: f32([1], 0, 4) }, 6)],
    ["two bytes missing", "truncated", file({ a: f32([1], 0, 4) }, 2)],
    ["metadata that is a string", "bad_json", file({ __metadata__: "x" })],
    ["metadata that is nested", "bad_json", file({ __metadata__: { a: {} } })],
    [
      "65,537 tensors",
      "limit_exceeded",
      file(Object.fromEntries(Array.from({ length: 65_537 }, (_, i) => [`t${i}`, f32([0], 0, 0)]))),
    ],
  ])("bad: %s gives %s", async (_, code, bytes) => {
    expect(await codeOf(readSafetensors(...open(bytes)))).toBe(code);
  });
});

test("gives names, types, shapes and places", async () => {
  const bytes = file(
    { b: { dtype: "BF16", shape: [3], data_offsets: [8, 14] }, a: f32([1, 2], 0, 8), __metadata__: { k: "v" } },
    14,
  );
  const { tensors, metadata } = await readSafetensors(bytesSource(bytes));
  const start = bytes.length - 14;
  expect([...tensors.values()].map(({ source, ...rest }) => rest)).toEqual([
    { name: "a", dtype: "F32", shape: [1, 2], offset: start, byteLength: 8 },
    { name: "b", dtype: "BF16", shape: [3], offset: start + 8, byteLength: 6 },
  ]);
  expect([...metadata]).toEqual([["k", "v"]]);
});

test("every prefix of two files is truncated", async () => {
  const own = file({ __metadata__: { a: "b" }, a: f32([2, 2], 0, 16), b: f32([1], 16, 20) }, 20);
  const fixture = new Uint8Array(readFileSync(`${fixtures}llama-untied/model.safetensors`));
  for (const bytes of [own, fixture]) {
    const { tensors } = await readSafetensors(bytesSource(bytes));
    const ends = [...tensors.values()].flatMap(({ offset, byteLength }) =>
      [-1, 0, 1].map((d) => offset + byteLength + d),
    );
    const dataOffset = Math.min(...[...tensors.values()].map(({ offset }) => offset));
    const lengths = [...Array(dataOffset).keys(), ...ends].filter((length) => length < bytes.length);
    for (const length of lengths) {
      const code = await codeOf(readSafetensors(bytesSource(bytes.subarray(0, length))));
      if (code !== "truncated") expect.unreachable(`${length} of ${bytes.length} bytes: ${code}`);
    }
  }
});

test("20,000 mutants: typed errors or sound files", async () => {
  const seed = file(
    { __metadata__: { a: "b" }, a: f32([2, 2], 0, 16), b: { dtype: "F16", shape: [2], data_offsets: [16, 20] } },
    20,
  );
  const alphabet = new TextEncoder().encode('0123456789{}[]",:-.eEFa\\ \u0000');
  const codes = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const next = random(i);
    let bytes = seed.slice();
    for (let edits = 1 + next(2); edits > 0; edits--) {
      const at = next(4) === 0 ? next(8) : next(bytes.length - 20);
      const kind = next(4);
      if (kind === 0) bytes[at]! ^= 1 << next(8);
      else if (kind < 3) bytes[at] = alphabet[next(alphabet.length)]!;
      else if (next(8) === 0) bytes = bytes.slice(0, Math.max(21, next(bytes.length)));
    }
    const source = recordingSource(bytes);
    let outcome = "loaded";
    try {
      let end = 0;
      for (const { offset, byteLength, shape, dtype } of (await readSafetensors(source)).tensors.values()) {
        const values = shape.reduce((product, n) => product * n, 1);
        const sound = offset >= end && offset + byteLength <= bytes.length && (byteLength / values || 0) <= 8;
        if (!sound || (dtype === "F32" && byteLength !== 4 * values)) expect.unreachable(`mutant ${i} was read`);
        end = offset + byteLength;
      }
    } catch (error) {
      if (!(error instanceof NibbleError)) throw error;
      outcome = error.code;
    }
    if (source.total > bytes.length) expect.unreachable(`mutant ${i}: read more than the file`);
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  for (const code of [
    "loaded",
    "truncated",
    "limit_exceeded",
    "bad_json",
    "bad_string",
    "bad_type",
    "bad_shape",
    "bad_offset",
  ]) {
    expect(codes.get(code) ?? 0, code).toBeGreaterThan(0);
  }
});

test("shard index", async () => {
  const parse = (json: unknown) =>
    codeOf((async () => parseShardIndex(new TextEncoder().encode(JSON.stringify(json))))());
  const good = { metadata: { total_size: 1.5 }, weight_map: { a: "model-00001-of-00002.safetensors" } };
  expect(await parse(good)).toBe("loaded");
  expect(await parse({})).toBe("bad_json");
  for (const name of [
    "../secret.safetensors",
    "a/b.safetensors",
    "..\\b.safetensors",
    "/etc/passwd",
    "https://x/a.safetensors",
    ".safetensors",
    1,
    null,
  ]) {
    expect(await parse({ weight_map: { a: name } }), String(name)).toBe("bad_value");
  }
  const many = Object.fromEntries(Array.from({ length: 1_025 }, (_, i) => [`t${i}`, `m${i}.safetensors`]));
  expect(await parse({ weight_map: many })).toBe("limit_exceeded");
});
