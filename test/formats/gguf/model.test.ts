import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { MetadataValue } from "../../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../../src/formats/gguf/header.ts";
import { readGguf } from "../../../src/formats/gguf/model.ts";
import { splitNames } from "../../../src/formats/gguf/shards.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { stopwatch } from "../../helpers/stopwatch.ts";
import { codeOf, fixtures, readModes, recordingSource } from "../helpers.ts";
import type { KeyValue, Tensor } from "./builder.ts";
import { buildGguf, GgufType, key } from "./builder.ts";

const architecture = key.string("general.architecture", "llama");
const open = (keys: KeyValue[], tensors: Tensor[] = []) =>
  bytesSource(buildGguf({ keys: [architecture, ...keys], tensors }));

describe.each(readModes)("fixtures, read as %s", (_, source) => {
  test("mobilellm-r1", async () => {
    const bytes = readFileSync(`${fixtures}mobilellm-r1/model.gguf`);
    const checkpoint = await readGguf(...source(bytes));
    expect(checkpoint).toMatchObject({ format: "gguf", architecture: "llama4", permutedQK: false });
    expect(checkpoint.metadata.size).toBe(32);
    expect(checkpoint.metadata.get("llama4.rope.freq_base")).toBe(8_000_000);
    expect(checkpoint.metadata.get("llama4.attention.layer_norm_rms_epsilon")).toBe(Math.fround(1e-5));
    expect(checkpoint.metadata.get("tokenizer.ggml.add_bos_token")).toBe(false);
    const tokens = checkpoint.metadata.get("tokenizer.ggml.tokens") as string[];
    expect([tokens.length, tokens[0], tokens[319]]).toEqual([320, "\u0100", "<|pad|>"]);
    expect(checkpoint.metadata.get("tokenizer.ggml.token_type")).toBeInstanceOf(Int32Array);
    expect(checkpoint.tensors.size).toBe(29);
    expect(checkpoint.tensors.get("blk.0.ffn_down.weight")).toMatchObject({
      type: "F16",
      shape: [192, 256],
      byteLength: 98_304,
    });
    const last = checkpoint.tensors.get("output_norm.weight")!;
    expect(last).toMatchObject({ type: "F32", shape: [192] });
    expect(last.offset + last.byteLength).toBe(bytes.length);
  });
  test("llama has permuted q and k", async () => {
    const checkpoint = await readGguf(...source(readFileSync(`${fixtures}llama/model.gguf`)));
    expect(checkpoint).toMatchObject({ architecture: "llama", permutedQK: true });
  });
});

test("every value type", async () => {
  const integers = (type: number, write: KeyValue["value"]): KeyValue => ({ key: `type ${type}`, type, value: write });
  const keys = [
    integers(GgufType.U8, (b) => b.u8(255)),
    integers(GgufType.I8, (b) => b.u8(255)),
    integers(GgufType.U16, (b) => b.u16(65_535)),
    integers(GgufType.I16, (b) => b.u16(65_535)),
    integers(GgufType.U32, (b) => b.u32(2 ** 32 - 1)),
    integers(GgufType.I32, (b) => b.u32(2 ** 32 - 1)),
    integers(GgufType.U64, (b) => b.u64(2 ** 53 - 1)),
    integers(GgufType.I64, (b) => b.u64(-(2 ** 53 - 1))),
    key.f32("f32", 0.1),
    { key: "f64", type: GgufType.F64, value: (b) => b.f64(0.1) },
    key.bool("true", 1),
    key.string("text", "\ufeff\u00e9\u{1f600}\u0000"),
    key.array("i16s", GgufType.I16, 2, (b) => b.u16(1).u16(65_535)),
    key.array("u64s", GgufType.U64, 2, (b) => b.u64(1).u64(2 ** 53 - 1)),
    key.array("i64s", GgufType.I64, 1, (b) => b.u64(-5)),
    key.array("bools", GgufType.BOOL, 2, (b) => b.u8(1).u8(0)),
    key.strings("strings", ["", "\ufeff", "\u{1f600}a", "\u20ac", ""]),
    key.array("none", GgufType.STRING, 0, () => {}),
  ] satisfies KeyValue[];
  const { metadata } = await readGguf(open(keys));
  expect([...metadata.values()].slice(1)).toEqual<MetadataValue[]>([
    255,
    -1,
    65_535,
    -1,
    2 ** 32 - 1,
    -1,
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    Math.fround(0.1),
    0.1,
    true,
    "\ufeff\u00e9\u{1f600}\u0000",
    new Int16Array([1, -1]),
    new Float64Array([1, 2 ** 53 - 1]),
    new Float64Array([-5]),
    [true, false],
    ["", "\ufeff", "\u{1f600}a", "\u20ac", ""],
    [],
  ]);
});

test("metadata does not alias the file's bytes, not even those of a Node Buffer", async () => {
  const bytes = Buffer.from(buildGguf({ keys: [key.array("a", GgufType.U8, 3, (b) => b.u8(1).u8(2).u8(3))] }));
  const { metadata } = await readGgufHeader(bytesSource(bytes));
  bytes.fill(0);
  expect(metadata.get("a")).toEqual(new Uint8Array([1, 2, 3]));
});

test("version 2, shapes outermost first, quantised rows", async () => {
  const bytes = buildGguf({
    version: 2,
    tensors: [
      { name: "a", ne: [64, 3], type: 2, byteLength: 108 },
      { name: "b", ne: [256, 2], type: 14, byteLength: 420 },
    ],
  });
  const { version, tensors, dataOffset } = await readGgufHeader(bytesSource(bytes));
  expect(version).toBe(2);
  expect(tensors.map(({ source, ...tensor }) => tensor)).toEqual([
    { name: "a", type: "Q4_0", shape: [3, 64], offset: dataOffset, byteLength: 108 },
    { name: "b", type: "Q6_K", shape: [2, 256], offset: dataOffset + 128, byteLength: 420 },
  ]);
});

test("a model needs general.architecture", async () => {
  expect(await codeOf(readGguf(bytesSource(buildGguf())))).toBe("missing_key");
  expect(await codeOf(readGguf(bytesSource(buildGguf({ keys: [key.u32("general.architecture", 1)] }))))).toBe(
    "bad_type",
  );
  expect(await codeOf(readGguf([]))).toBe("invalid_argument");
});

test("limits can be set", async () => {
  const file = () => open([key.strings("a", ["x", "y"])], [{ name: "t", ne: [2] }]);
  expect(await codeOf(readGguf(file(), { keyValues: 1 }))).toBe("limit_exceeded");
  expect(await codeOf(readGguf(file(), { tensors: 0 }))).toBe("limit_exceeded");
  expect(await codeOf(readGguf(file(), { arrayLength: 1 }))).toBe("limit_exceeded");
  expect(await codeOf(readGguf(file(), { stringBytes: 4 }))).toBe("limit_exceeded");
  expect(await codeOf(readGguf(file(), { headerBytes: 64 }))).toBe("limit_exceeded");
});

test("reads the header of a large file in few, bounded pieces", async () => {
  const strings = Array.from({ length: 150_000 }, (_, i) => `\u0120token${i}`);
  const bytes = buildGguf({
    keys: [architecture, key.strings("tokens", strings), key.strings("merges", strings)],
    tensors: [{ name: "t", ne: [2 ** 20] }],
  });
  const source = recordingSource(bytes);
  const seconds = stopwatch();
  const checkpoint = await readGguf(source);
  // It takes 50 ms; a reader that is quadratic takes minutes.
  expect(seconds()).toBeLessThan(2);
  expect(checkpoint.metadata.get("merges")).toEqual(strings);
  expect(source.largest).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(checkpoint.headerBytes).toBe(source.total);
  const small = recordingSource(buildGguf({ keys: [architecture], tensors: [{ name: "t", ne: [2 ** 20] }] }));
  await readGguf(small);
  expect(small.total).toBe(65_536);
});

describe("split files", () => {
  const shard = (no: number, count: number, tensors: string[], total?: number) =>
    buildGguf({
      keys: [
        ...(no === 0 ? [architecture] : []),
        key.u16("split.no", no),
        key.u16("split.count", count),
        ...(total === undefined ? [] : [key.u32("split.tensors.count", total)]),
      ],
      tensors: tensors.map((name) => ({ name, ne: [4] })),
    });
  const read = (...shards: Uint8Array[]) => readGguf(shards.map(bytesSource));

  test("joined in order; each tensor points into its own file", async () => {
    const files = [shard(0, 3, [], 3), shard(1, 3, ["a", "b"], 3), shard(2, 3, ["c"], 3)];
    const sources = files.map(recordingSource);
    const checkpoint = await readGguf(sources);
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(
      ["a", "b", "c"].map((name) => sources.indexOf(checkpoint.tensors.get(name)!.source as (typeof sources)[0])),
    ).toEqual([1, 1, 2]);
    await checkpoint.close();
    expect(sources.map((source) => source.closed)).toEqual([1, 1, 1]);
  });
  test.each<[string, string, Uint8Array[]]>([
    ["one of two", "missing_file", [shard(0, 2, ["a"], 2)]],
    ["two of three", "missing_file", [shard(0, 3, ["a"], 2), shard(1, 3, ["b"], 2)]],
    ["three of two", "bad_value", [shard(0, 2, ["a"], 2), shard(1, 2, ["b"], 2), shard(2, 2, ["c"], 2)]],
    ["out of order", "bad_value", [shard(0, 3, [], 2), shard(2, 3, ["b"], 2), shard(1, 3, ["a"], 2)]],
    ["of another split", "bad_value", [shard(0, 2, ["a"], 2), shard(1, 3, ["b"], 2)]],
    ["not split", "missing_key", [buildGguf({ keys: [architecture] }), buildGguf({ keys: [architecture] })]],
    ["no total", "missing_key", [shard(0, 2, ["a"]), shard(1, 2, ["b"])]],
    ["wrong total", "missing_tensor", [shard(0, 2, ["a"], 3), shard(1, 2, ["b"], 3)]],
    ["a tensor twice", "duplicate_key", [shard(0, 2, ["a"], 2), shard(1, 2, ["a"], 2)]],
    ["count 1 is not split", "loaded", [shard(0, 1, ["a"])]],
    ["count 0 is not split", "loaded", [shard(0, 0, ["a"])]],
  ])("%s: %s", async (_, code, shards) => {
    expect(await codeOf(read(...shards))).toBe(code);
  });
  test("names", async () => {
    expect(splitNames("dir/m-00001-of-00003.gguf")).toEqual([
      "dir/m-00001-of-00003.gguf",
      "dir/m-00002-of-00003.gguf",
      "dir/m-00003-of-00003.gguf",
    ]);
    expect(splitNames("m.gguf")).toBeUndefined();
    expect(splitNames("m-1-of-3.gguf")).toBeUndefined();
    expect(await codeOf((async () => splitNames("m-00002-of-00003.gguf"))())).toBe("invalid_argument");
    expect(await codeOf((async () => splitNames("m-00001-of-99999.gguf"))())).toBe("limit_exceeded");
  });
});

test.each([
  [16, "IQ2_XXS"],
  [22, "IQ2_S"],
  [4, "Q4_2 (which ggml has removed)"],
  [43, "of a newer version of ggml"],
])("names a type that we do not read: %i %s", async (type, name) => {
  const file = buildGguf({
    keys: [key.string("general.architecture", "llama")],
    tensors: [{ name: "a", ne: [256], type }],
  });
  await expect(readGguf(bytesSource(file))).rejects.toMatchObject({
    code: "unsupported_type",
    message: expect.stringContaining(`type ${name} (ggml id ${type})`),
  });
});
