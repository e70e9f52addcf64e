import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Checkpoint, MetadataValue } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { compareCheckpoints, hashSource, verifyCheckpoint } from "../../weights-tools/verify.ts";
import {
  bytesOf,
  converted,
  crumb,
  fixtureFolder,
  fixtureGguf,
  floatSource,
  rawBytes,
  syntheticCheckpoint,
} from "./helpers.ts";

const newHash = () => createHash("sha256");
const sha256 = (bytes: Uint8Array): string => newHash().update(bytes).digest("hex");

describe("verifyCheckpoint", () => {
  it("hashes every tensor and finds nothing wrong with a sound file", async () => {
    const checkpoint = await fixtureGguf("llama");
    const { tensors, problems } = await verifyCheckpoint(checkpoint, newHash);
    expect(problems).toEqual([]);
    expect(tensors.map(({ name }) => name)).toEqual([...checkpoint.tensors.keys()]);
    for (const { name, sha256: hash } of tensors)
      expect(hash).toBe(sha256(await rawBytes(checkpoint.tensors.get(name)!)));
  });

  it("hashes a source whole, in pieces", async () => {
    const bytes = new Uint8Array(9_000_000).map((_, i) => i * 7);
    expect(await hashSource(bytesSource(bytes), newHash())).toBe(sha256(bytes));
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])("names a tensor with %d in it", async (bad) => {
    const numbers = new Array(96).fill(1);
    numbers[70] = bad;
    const tensors = [
      { name: "good", shape: [32] },
      { name: "bad", shape: [2, 32] },
    ];
    const { problems } = await verifyCheckpoint(syntheticCheckpoint(tensors, floatSource(numbers)), newHash);
    expect(problems).toEqual([`tensor bad: value 38: expected a finite weight, got ${bad}`]);
  });

  it("finds bytes after the end", async () => {
    const bytes = bytesOf("test/fixtures/architectures/llama/model.gguf");
    const longer = new Uint8Array(bytes.length + 5);
    longer.set(bytes);
    const { problems } = await verifyCheckpoint(await readGguf(bytesSource(longer)), newHash);
    expect(problems).toEqual(["the file has 5 bytes after its last tensor"]);
  });
});

describe("compareCheckpoints", () => {
  it.each(["llama", "llama3-rope", "mobilellm-r1", "qwen2", "qwen3", "gemma3", "olmo2"])(
    "folder and GGUF of %s are equal",
    async (model) => {
      const result = await compareCheckpoints(await fixtureFolder(model), await fixtureGguf(model));
      expect(result).toMatchObject({ differences: [], same: true, equal: true });
      expect(result.tensors).toHaveLength((await fixtureGguf(model)).tensors.size);
    },
  );

  it.each(["f16", "bf16", "q8_0", "q5_0", "q4_1", "q4_0"] as const)("crumb as %s is the same model", async (type) => {
    const { checkpoint, report } = await converted(await crumb(), { type });
    const { same, equal, tensors } = await compareCheckpoints(await crumb(), checkpoint);
    expect([same, equal]).toEqual([true, false]);
    // The converter's own figures, measured again from the file.
    for (const { name, rmse } of report.tensors)
      expect(tensors.find((tensor) => tensor.name === name)!.rmse).toBeCloseTo(rmse, 10);
  });

  const changed = async (change: (checkpoint: Checkpoint) => Partial<Checkpoint>): Promise<Checkpoint> => {
    const checkpoint = await fixtureGguf("llama");
    return { ...checkpoint, ...change(checkpoint) };
  };
  const withKey = (key: string, value: MetadataValue) =>
    changed(({ metadata }) => ({ metadata: new Map([...metadata, [key, value]]) }));
  const swapped = (a: string, b: string) =>
    changed(({ tensors }) => {
      const get = (name: string) => tensors.get(name)!;
      return {
        tensors: new Map([...tensors, [a, { ...get(b), name: a }], [b, { ...get(a), name: b }]]),
      };
    });

  it.each<[string, () => Promise<Checkpoint>, string]>([
    ["another hyper-parameter", () => withKey("llama.rope.freq_base", 5e5), "llama.rope.freq_base: 100000 and 500000"],
    ["another vocabulary", () => withKey("tokenizer.ggml.tokens", ["a"]), "tokenizer.ggml.tokens: arrays that differ"],
    ["another architecture", () => changed(() => ({ architecture: "qwen2" })), "architectures llama and qwen2"],
    [
      "weights of another layer",
      () => swapped("blk.0.attn_q.weight", "blk.1.attn_q.weight"),
      "tensor blk.0.attn_q.weight: error",
    ],
    [
      "a missing tensor",
      () => changed(({ tensors }) => ({ tensors: new Map([...tensors].slice(1)) })),
      "tensor token_embd.weight: only in the first",
    ],
    ["rows in Hugging Face's order", () => changed(() => ({ permutedQK: false })), "tensor blk.0.attn_k.weight: error"],
  ])("sees %s", async (_, other, message) => {
    const result = await compareCheckpoints(await fixtureGguf("llama"), await other());
    expect(result.same).toBe(false);
    expect(result.differences.join("\n")).toContain(message);
  });

  it("does not mind names, templates and keys that one of them lacks", async () => {
    const other = await withKey("general.name", "other");
    expect(await compareCheckpoints(await fixtureGguf("llama"), other)).toMatchObject({ same: true, equal: true });
    const more = await withKey("llama.attention.causal", true);
    expect(await compareCheckpoints(await fixtureGguf("llama"), more)).toMatchObject({ same: true });
  });
});
