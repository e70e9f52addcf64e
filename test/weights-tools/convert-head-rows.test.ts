import { describe, expect, it } from "vitest";
import type { Checkpoint, MetadataValue } from "../../src/formats/checkpoint.ts";
import { converted, floatSource, headed, sameBytes, syntheticCheckpoint, values } from "./helpers.ts";

describe("q and k rows", () => {
  const firstColumn = async (checkpoint: Checkpoint, name: string): Promise<number[]> => {
    const tensor = checkpoint.tensors.get(name)!;
    return [...(await values(tensor))].filter((_, i) => i % (tensor.shape[1] ?? 1) === 0);
  };

  it.each([undefined, 1])("are interleaved head by head for architecture llama (chunk %s)", async (chunkBytes) => {
    const options = chunkBytes === undefined ? {} : { chunkBytes };
    const { checkpoint } = await converted(headed(false), { type: "f32", ...options });
    expect(await firstColumn(checkpoint, "blk.0.attn_q.weight")).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(await firstColumn(checkpoint, "blk.0.attn_q.bias")).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(await firstColumn(checkpoint, "blk.0.attn_k.weight")).toEqual([0, 2, 1, 3]);
    expect(await firstColumn(checkpoint, "blk.0.attn_v.weight")).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ["already in GGUF's order", headed(true)],
    ["of architecture llama4", headed(false, "llama4")],
    ["of architecture qwen2", headed(false, "qwen2")],
  ])("stay where they are: %s", async (_, source) => {
    const { checkpoint } = await converted(source, { type: "f32" });
    expect(await firstColumn(checkpoint, "blk.0.attn_q.weight")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await firstColumn(checkpoint, "blk.0.attn_k.weight")).toEqual([0, 1, 2, 3]);
  });

  it("are not interleaved twice", async () => {
    const once = await converted(headed(false), { type: "f32" });
    const twice = await converted(once.checkpoint, { type: "f32" });
    expect(sameBytes(twice.bytes, once.bytes)).toBe(true);
  });

  it("must be whole heads", async () => {
    const source = syntheticCheckpoint(
      [{ name: "blk.0.attn_q.weight", shape: [8, 3] }],
      floatSource(new Array(24).fill(0)),
      {
        metadata: new Map<string, MetadataValue>([["llama.attention.head_count", 3]]),
        permutedQK: false,
      },
    );
    await expect(converted(source, { type: "f32" })).rejects.toMatchObject({ code: "bad_shape" });
  });
});
