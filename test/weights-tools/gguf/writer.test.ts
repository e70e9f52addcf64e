import { describe, expect, it } from "vitest";
import type { Checkpoint, MetadataValue } from "../../../src/formats/checkpoint.ts";
import { readGguf } from "../../../src/formats/gguf/model.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { type GgufTensor, type HeaderValue, writeGguf } from "../../../weights-tools/gguf/writer.ts";
import { MemorySink, rawBytes } from "../helpers.ts";

const architecture = ["general.architecture", "test"] as const;
const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function write(
  metadata: Iterable<readonly [string, HeaderValue]>,
  tensors: readonly (GgufTensor & { data: Uint8Array })[] = [],
): Promise<{ bytes: Uint8Array; total: number }> {
  const sink = new MemorySink();
  const total = await writeGguf(sink, new Map(metadata), tensors, ({ data }) => chunked(data, 7));
  return { bytes: sink.bytes(), total };
}

async function roundTrip(...args: Parameters<typeof write>): Promise<Checkpoint> {
  const { bytes, total } = await write(...args);
  expect(total).toBe(bytes.length);
  expect(total % 32).toBe(0);
  return readGguf(bytesSource(bytes));
}

it("round-trips every kind of value", async () => {
  const metadata: [string, MetadataValue][] = [
    ["test.u32", 4_294_967_295],
    ["test.u64", 2 ** 53 - 1],
    ["test.i32", -2_147_483_648],
    ["test.i64", -(2 ** 40)],
    ["test.f32", 0.5],
    ["test.f64", 0.1],
    ["test.true", true],
    ["test.text", "naïve ▁ \u0000 🙂"],
    ["test.empty", ""],
    ["test.strings", ["", "é", "<|x|>"]],
    ["test.booleans", [true, false]],
    ["test.u8", Uint8Array.of(0, 255)],
    ["test.i8", Int8Array.of(-128, 127)],
    ["test.u16", Uint16Array.of(65_535)],
    ["test.i16", Int16Array.of(-32_768)],
    ["test.u32s", Uint32Array.of(4_294_967_295)],
    ["test.i32s", Int32Array.of(-1, 3)],
    ["test.f32s", Float32Array.of(-0.5, 3e38)],
    ["test.f64s", Float64Array.of(0.1)],
    ["general.alignment", 32],
  ];
  const { metadata: read } = await roundTrip([architecture, ...metadata]);
  expect([...read]).toEqual([architecture, ...metadata]);
});

it("keeps the order of the keys", async () => {
  const { metadata } = await roundTrip([["b", 1], ["a", 2], architecture]);
  expect([...metadata.keys()]).toEqual(["b", "a", "general.architecture"]);
});

it("writes an encoded value as it stands", async () => {
  // A u8, which a plain number never becomes.
  const { bytes } = await write([["n", { encoded: Uint8Array.of(0, 0, 0, 0, 7) }]]);
  expect([...bytes.subarray(24 + 8 + 1, 24 + 8 + 6)]).toEqual([0, 0, 0, 0, 7]);
});

it.each([1, 64, 4096])("aligns tensors to %d", async (alignment) => {
  const tensors = [
    { name: "a", type: "F32", shape: [3], data: filled(12, 1) },
    { name: "b", type: "F32", shape: [5], data: filled(20, 2) },
  ] as const;
  const { bytes, total } = await write([architecture, ["general.alignment", alignment]], tensors);
  expect([total, total % alignment]).toEqual([bytes.length, 0]);
  const read = await readGguf(bytesSource(bytes));
  expect(read.tensors.get("b")!.offset % alignment).toBe(0);
  for (const { name, data } of tensors) expect(await rawBytes(read.tensors.get(name)!)).toEqual(data);
});

it.each([
  ["llama.rope.freq_base", 10_000, 6],
  ["llama.rope.scaling.factor", 8, 6],
  ["llama.attention.layer_norm_rms_epsilon", 1, 6],
  ["general.sampling.temp", 1, 6],
  ["general.sampling.top_k", 40, 5],
  ["llama.block_count", 1, 4],
  ["llama.rope.scaling.original_context_length", 8192, 4],
  ["tokenizer.ggml.bos_token_id", 1, 4],
] as const)("writes %s = %d as value type %d, as llama.cpp demands", async (key, value, type) => {
  const { bytes } = await write([[key, value]]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  expect(view.getUint32(24 + 8 + key.length, true)).toBe(type);
});

it("round-trips tensors: shapes, types, padding, order", async () => {
  const tensors = [
    { name: "b", type: "F32", shape: [3], data: filled(12, 1) },
    { name: "a", type: "Q8_0", shape: [2, 64], data: filled(2 * 2 * 34, 2) },
    { name: "blk.0.é", type: "F16", shape: [2, 3, 5], data: filled(60, 3) },
    { name: "n".repeat(63), type: "Q4_1", shape: [1, 32], data: filled(20, 4) },
  ] as const;
  const read = await roundTrip([architecture], tensors);
  expect([...read.tensors.keys()]).toEqual(tensors.map(({ name }) => name));
  for (const { name, type, shape, data } of tensors) {
    const tensor = read.tensors.get(name)!;
    expect(tensor).toMatchObject({ type, shape });
    expect(await rawBytes(tensor)).toEqual(data);
  }
});

it("writes a header far larger than its first buffer", async () => {
  const tokens = Array.from({ length: 20_000 }, (_, i) => `token ${i}`);
  const { metadata } = await roundTrip([architecture, ["tokens", tokens], ["long", "x".repeat(100_000)]]);
  expect(metadata.get("tokens")).toEqual(tokens);
  expect(metadata.get("long")).toHaveLength(100_000);
});

describe("refuses", () => {
  const tensor = { name: "a", type: "F32", shape: [8], data: filled(32, 0) } as const;
  it.each([
    ["too few bytes", [{ ...tensor, data: filled(31, 0) }], "invalid_argument"],
    ["too many bytes", [{ ...tensor, data: filled(33, 0) }], "invalid_argument"],
    ["two tensors of one name", [tensor, tensor], "invalid_argument"],
    ["an empty name", [{ ...tensor, name: "" }], "invalid_argument"],
    ["a name of 64 bytes", [{ ...tensor, name: "é".repeat(32) }], "invalid_argument"],
    ["a row of half a block", [{ ...tensor, type: "Q4_0", shape: [2, 48] }], "bad_shape"],
    ["no dimension", [{ ...tensor, shape: [] }], "bad_shape"],
    ["five dimensions", [{ ...tensor, shape: [1, 1, 1, 1, 8] }], "bad_shape"],
    ["an empty dimension", [{ ...tensor, shape: [0, 8] }], "bad_shape"],
  ] as const)("%s", async (_, tensors, code) => {
    await expect(write([architecture], tensors)).rejects.toMatchObject({ name: "NibbleError", code });
  });

  it.each([0, 48, -32, 2 ** 17, "32"])("an alignment of %s", async (alignment) => {
    await expect(write([["general.alignment", alignment]])).rejects.toMatchObject({ code: "bad_alignment" });
  });
});
