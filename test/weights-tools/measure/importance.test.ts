import { describe, expect, it } from "vitest";
import { readGgufHeader } from "../../../src/formats/gguf/header.ts";
import { readGguf } from "../../../src/formats/gguf/model.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { writeGguf } from "../../../weights-tools/gguf/writer.ts";
import { ImportanceCollector, readImportance } from "../../../weights-tools/measure/importance.ts";
import { MemorySink, rawBytes } from "../helpers.ts";

const facts = { dataset: "text.txt", chunkCount: 2, chunkSize: 512 };

async function file(collector: ImportanceCollector): Promise<Uint8Array> {
  const sink = new MemorySink();
  expect(await collector.write(sink, facts)).toBe(sink.bytes().length);
  return sink.bytes();
}

function collected(): ImportanceCollector {
  const collector = new ImportanceCollector();
  collector.add(["blk.0.attn_q.weight", "blk.0.attn_k.weight"], Float32Array.of(1, -2, 3));
  collector.add(["blk.0.attn_q.weight", "blk.0.attn_k.weight"], Float32Array.of(3, 0, 1));
  collector.add(["blk.0.ffn_down.weight"], Float32Array.of(0.5));
  return collector;
}

it("is the mean square of every column", async () => {
  const { importance, ...origin } = await readImportance(bytesSource(await file(collected())));
  expect(origin).toEqual({ dataset: "text.txt", chunkCount: 2 });
  expect([...importance]).toEqual([
    ["blk.0.attn_q.weight", Float32Array.of(5, 2, 5)],
    ["blk.0.attn_k.weight", Float32Array.of(5, 2, 5)],
    ["blk.0.ffn_down.weight", Float32Array.of(0.25)],
  ]);
});

it("is written as llama-imatrix writes it", async () => {
  const { metadata, tensors } = await readGgufHeader(bytesSource(await file(collected())));
  expect([...metadata]).toEqual([
    ["general.type", "imatrix"],
    ["imatrix.datasets", ["text.txt"]],
    ["imatrix.chunk_count", 2],
    ["imatrix.chunk_size", 512],
  ]);
  const sums = tensors.find(({ name }) => name === "blk.0.attn_q.weight.in_sum2")!;
  const counts = tensors.find(({ name }) => name === "blk.0.attn_q.weight.counts")!;
  expect(new Float32Array((await rawBytes(sums)).slice().buffer)).toEqual(Float32Array.of(10, 4, 10));
  expect(new Float32Array((await rawBytes(counts)).slice().buffer)).toEqual(Float32Array.of(2));
  expect(tensors).toHaveLength(6);
});

it("refuses to write what is not finite", async () => {
  const collector = new ImportanceCollector();
  collector.add(["a"], Float32Array.of(1, Number.POSITIVE_INFINITY));
  await expect(collector.write(new MemorySink(), facts)).rejects.toMatchObject({ code: "bad_weights" });
});

describe("readImportance", () => {
  async function built(tensors: Record<string, number[]>, type = "imatrix", of: "F32" | "I32" = "F32") {
    const sink = new MemorySink();
    const list = Object.entries(tensors).map(([name, values]) => ({ name, values, type: of, shape: [values.length] }));
    await writeGguf(sink, new Map([["general.type", type]]), list, async function* ({ values }) {
      yield new Uint8Array(Float32Array.from(values).buffer);
    });
    return readImportance(bytesSource(sink.bytes()));
  }

  it("leaves out a matrix without rows, and tensors of another kind", async () => {
    const { importance, ...origin } = await built({
      "a.in_sum2": [1],
      "a.counts": [0],
      "b.in_sum2": [6],
      "b.counts": [2],
      "b.in_sum": [1],
    });
    expect([...importance]).toEqual([["b", Float32Array.of(3)]]);
    expect(origin).toEqual({ dataset: undefined, chunkCount: undefined });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["a model", () => built({ "a.in_sum2": [1], "a.counts": [1] }, "model"), "bad_value"],
    ["sums without a count", () => built({ "a.in_sum2": [1] }), "missing_tensor"],
    ["negative sums", () => built({ "a.in_sum2": [-1], "a.counts": [1] }), "bad_value"],
    ["NaN", () => built({ "a.in_sum2": [Number.NaN], "a.counts": [1] }), "bad_value"],
    ["experts", () => built({ "a.in_sum2": [1, 2], "a.counts": [1, 1] }), "unsupported_architecture"],
    ["integers", () => built({ "a.in_sum2": [1], "a.counts": [1] }, "imatrix", "I32"), "bad_type"],
    ["an older file", () => readImportance(bytesSource(Uint8Array.of(5, 0, 0, 0, 1))), "bad_magic"],
  ])("refuses %s", async (_, read, code) => {
    await expect(read()).rejects.toMatchObject({ name: "NibbleError", code });
  });

  it("is no model to the loader", async () => {
    await expect(readGguf(bytesSource(await file(collected())))).rejects.toMatchObject({ code: "missing_key" });
  });
});
