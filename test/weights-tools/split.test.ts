import { describe, expect, it } from "vitest";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { merge, planSplit, type ShardLimit, shardNames, writeShard } from "../../weights-tools/split.ts";
import { buildGguf, GgufType, key } from "../formats/gguf/builder.ts";
import { bytesOf, crumb, fixtureGguf, MemorySink, sameBytes } from "./helpers.ts";

async function shardsOf(bytes: Uint8Array, limit: ShardLimit): Promise<Uint8Array[]> {
  const plan = planSplit(await readGguf(bytesSource(bytes)), limit);
  const shards: Uint8Array[] = [];
  for (let i = 0; i < plan.shards.length; i++) {
    const sink = new MemorySink();
    expect(await writeShard(plan, i, sink)).toBe(sink.bytes().length);
    shards.push(sink.bytes());
  }
  return shards;
}

async function merged(shards: Uint8Array[]): Promise<Uint8Array> {
  const sink = new MemorySink();
  await merge(await readGguf(shards.map(bytesSource)), sink);
  return sink.bytes();
}

const fixture = bytesOf("test/fixtures/architectures/llama/model.gguf");

describe("split and merge give the same bytes", () => {
  it.each([{ tensors: 1 }, { tensors: 7 }, { bytes: 100_000 }, { bytes: 1 }, { bytes: 1e9 }])("%j", async (limit) => {
    const shards = await shardsOf(fixture, limit);
    expect(sameBytes(await merged(shards), fixture)).toBe(true);
    if ("tensors" in limit) expect(shards).toHaveLength(Math.ceil(20 / limit.tensors));
  });

  it("of a file with keys of all types, another alignment and an unusual order", async () => {
    const odd = buildGguf({
      alignment: 64,
      keys: [
        { key: "a.i64", type: GgufType.I64, value: (b) => b.u64(-5n) },
        { key: "a.f64", type: GgufType.F64, value: (b) => b.f64(2) },
        { key: "a.u8", type: GgufType.U8, value: (b) => b.u8(1) },
        key.array("a.i64s", GgufType.I64, 2, (b) => b.u64(1n).u64(2n)),
        key.u32("general.alignment", 64),
        key.string("general.architecture", "x"),
      ],
      tensors: [
        { name: "b", ne: [5] },
        { name: "a", ne: [3] },
      ],
    });
    const whole = await merged([odd]); // padded to the end, as ours are
    expect(sameBytes(whole.subarray(0, odd.length), odd)).toBe(true);
    expect(sameBytes(await merged(await shardsOf(odd, { tensors: 1 })), whole)).toBe(true);
  });
});

it("writes llama.cpp's keys, and metadata in the first shard only", async () => {
  const shards = await shardsOf(fixture, { tensors: 8 });
  expect(shards).toHaveLength(3);
  const text = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);
  for (const [i, bytes] of shards.entries()) {
    expect(text(bytes).includes("tokenizer.ggml.tokens")).toBe(i === 0);
    // key, then type and value: u16, u16, i32 (llama.cpp reads no other types)
    const value = (name: string, length: number) => [
      ...bytes.subarray(text(bytes).indexOf(name) + name.length, text(bytes).indexOf(name) + name.length + length),
    ];
    expect(value("split.no", 6)).toEqual([2, 0, 0, 0, i, 0]);
    expect(value("split.count", 6)).toEqual([2, 0, 0, 0, 3, 0]);
    expect(value("split.tensors.count", 8)).toEqual([5, 0, 0, 0, 20, 0, 0, 0]);
  }
});

it("divides a split model anew", async () => {
  const first = await shardsOf(fixture, { tensors: 3 });
  const plan = planSplit(await readGguf(first.map(bytesSource)), { bytes: 200_000 });
  const sinks = plan.shards.map(() => new MemorySink());
  for (const [i, sink] of sinks.entries()) await writeShard(plan, i, sink);
  expect(sameBytes(await merged(sinks.map((sink) => sink.bytes())), fixture)).toBe(true);
});

it("keeps shards below the limit, but for a tensor that is larger alone", async () => {
  const { shards } = planSplit(await fixtureGguf("llama"), { bytes: 100_000 });
  for (const shard of shards) {
    const bytes = shard.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes <= 100_000 || shard.length === 1).toBe(true);
  }
});

it("names shards as llama.cpp does", () => {
  expect(shardNames("dir/m", 2)).toEqual(["dir/m-00001-of-00002.gguf", "dir/m-00002-of-00002.gguf"]);
});

describe("refuses", () => {
  it.each([{ tensors: 0 }, { bytes: 0 }, { bytes: Number.NaN }])("%j", async (limit) => {
    const source = await fixtureGguf("llama");
    expect(() => planSplit(source, limit)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
  it("a folder", async () => {
    const folder = await crumb();
    expect(() => planSplit(folder, { tensors: 1 })).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    await expect(merge(folder, new MemorySink())).rejects.toMatchObject({ code: "invalid_argument" });
  });
  it("shards that are not one model", async () => {
    const shards = await shardsOf(fixture, { tensors: 8 });
    await expect(merged([shards[0]!, shards[2]!, shards[1]!])).rejects.toMatchObject({ code: "bad_value" });
    await expect(merged(shards.slice(0, 2))).rejects.toMatchObject({ code: "missing_file" });
  });
});
