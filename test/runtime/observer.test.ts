import { describe, expect, it } from "vitest";
import type { TensorInfo } from "../../src/formats/checkpoint.ts";
import { dequantize } from "../../weights-tools/dequantize/dequantize.ts";
import { executorOf, openFixture } from "../helpers/models.ts";

const ids = Array.from({ length: 40 }, (_, i) => (i * 37) % 300);
const options = { kvType: "f32", maxLogitRows: 40, contextLength: 64, cacheTokens: 128 } as const;

async function values({ type, shape, source, offset, byteLength }: TensorInfo): Promise<Float32Array> {
  const result = new Float32Array(shape.reduce((product, length) => product * length, 1));
  dequantize(type, await source.read(offset, byteLength), result);
  return result;
}

/** The rows that the observer is shown for each weight, over a prompt in chunks. */
async function observed(name: string, chunk: number, threads = 1): Promise<Map<string, number[][]>> {
  const executor = await executorOf(await openFixture(name, "gguf"), { ...options, threads });
  const sequence = executor.createSequence();
  const rows = new Map<string, number[][]>();
  for (let at = 0; at < ids.length; at += chunk) {
    executor.forward([{ sequence, tokens: ids.slice(at, at + chunk), logits: "all" }], (weights, row) => {
      for (const weight of weights) rows.set(weight, [...(rows.get(weight) ?? []), [...row]]);
    });
  }
  executor.dispose();
  return rows;
}

describe.each(["llama", "mobilellm-r1"])("the inputs of matmuls of %s", (name) => {
  it("are shown once for every matrix and token, whatever the chunks and threads", async () => {
    const checkpoint = await openFixture(name, "gguf");
    await checkpoint.close();
    const rows = await observed(name, 40);
    const matrices = [...checkpoint.tensors.values()].filter(({ shape }) => shape.length === 2);
    expect([...rows.keys()].sort()).toEqual(matrices.map(({ name }) => name).sort()); // the embedding as the head
    for (const { name, shape } of matrices) {
      expect(rows.get(name)).toHaveLength(40);
      expect(rows.get(name)![0]).toHaveLength(shape[1]!);
    }
    expect(await observed(name, 7)).toEqual(rows);
    expect(await observed(name, 40, 2)).toEqual(rows);
  });

  it("do not change the logits, and give them", async () => {
    const checkpoint = await openFixture(name, "gguf");
    const head = await values(checkpoint.tensors.get("token_embd.weight")!);
    const executor = await executorOf(checkpoint, options);
    const run = (observe?: (weights: readonly string[], row: Float32Array) => void): Float32Array[] => {
      const batch = [{ sequence: executor.createSequence(), tokens: ids, logits: "all" }] as const;
      return executor.forward(batch, observe).map((logits) => logits.slice());
    };
    const inputs: Float32Array[] = [];
    const logits = run((weights, row) => {
      if (weights.includes("token_embd.weight")) inputs.push(row.slice());
    });
    expect(logits).toEqual(run());
    for (const row of [0, 39]) {
      for (const token of [0, 17, 319]) {
        const width = inputs[row]!.length;
        const sum = inputs[row]!.reduce((total, x, i) => total + x * head[token * width + i]!, 0);
        expect(logits[row]![token]).toBeCloseTo(sum, 4);
      }
    }
  });

  it("are the normed embedding in the first layer", async () => {
    const checkpoint = await openFixture(name, "gguf");
    const { tensors, metadata, architecture } = checkpoint;
    const embedding = await values(tensors.get("token_embd.weight")!);
    const weight = await values(tensors.get("blk.0.attn_norm.weight")!);
    await checkpoint.close();
    const eps = metadata.get(`${architecture}.attention.layer_norm_rms_epsilon`) as number;
    const row = embedding.subarray(ids[3]! * weight.length, (ids[3]! + 1) * weight.length);
    const scale = 1 / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length + eps);
    const input = (await observed(name, 40)).get("blk.0.attn_v.weight")![3]!;
    for (const [i, x] of input.entries()) expect(x).toBeCloseTo(row[i]! * scale * weight[i]!, 5);
  });
});
