/** llama.cpp itself reads the files that we write: the prebuilt native library of node-llama-cpp, for Linux on x64. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installPeers } from "../../bench/engines.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { type WeightType, weightTypeNames } from "../../weights-tools/types/weight-types.ts";
import type { Judgement, Question } from "../helpers/llama-cpp.ts";
import { executorOf, greedy } from "../helpers/models.ts";
import {
  converted,
  fixtureFolder,
  fixtureGguf,
  floatSource,
  pathOf,
  syntheticCheckpoint,
} from "../weights-tools/helpers.ts";

describe.runIf(process.platform === "linux" && process.arch === "x64")("llama.cpp", () => {
  const folder = mkdtempSync(join(tmpdir(), "nibble-llama-cpp-"));
  let judge: (file: Uint8Array, prompt: readonly number[], count: number) => Promise<Judgement>;
  let stop = () => {};
  const wide = wideModel();

  beforeAll(() => {
    const problem = installPeers();
    if (problem !== undefined) throw new Error(problem);
    const child = spawn(process.execPath, [pathOf("test/helpers/llama-cpp.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const left = once(child, "exit").then(([code, signal]) => {
      throw new Error(`llama.cpp's process ended with ${code ?? signal}`);
    });
    left.catch(() => {}); // at the end it is meant to
    stop = () => child.kill();
    judge = async (file, prompt, count) => {
      const question: Question = { model: join(folder, "model.gguf"), prompt, count };
      writeFileSync(question.model, file);
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return JSON.parse((await Promise.race([lines.next(), left])).value);
    };
  });
  afterAll(() => {
    stop();
    rmSync(folder, { recursive: true });
  });

  // llama.cpp knows neither windows of Mistral (mistral-window) nor shared layers (mobilellm-ls).
  const models = [
    ...["llama", "llama3-rope", "llama-untied", "qwen2", "qwen3", "gemma3", "olmo2"],
    ...["smollm3", "granite", "granite4-dense", "ernie4_5", "hunyuan_v1_dense", "ministral3", "gemma2", "olmo3"],
    ...["qwen3-yarn", "lfm2", "qwen3_5"],
  ];
  describe.each(models)("%s, from its folder", (model) => {
    const reference = JSON.parse(readFileSync(pathOf(`test/fixtures/architectures/${model}/reference.json`), "utf8"));
    it.each(["f32", "f16"] as const)("as %s: transformers' greedy tokens", async (type) => {
      const { bytes } = await converted(await fixtureFolder(model), { type });
      expect((await judge(bytes, reference.greedy_prompt, 16)).tokens).toEqual(reference.greedy);
    });
  });

  // LongRoPE: its context of 256 tokens is beyond the fixture's original one, as in our executor of that context.
  it.each(["f32", "f16"] as const)("minicpm4 as %s: the tokens that we take in a long context", async (type) => {
    const { greedy_prompt: prompt } = JSON.parse(
      readFileSync(pathOf("test/fixtures/architectures/minicpm4/reference.json"), "utf8"),
    );
    const { bytes, checkpoint } = await converted(await fixtureFolder("minicpm4"), { type });
    const executor = await executorOf(checkpoint, { kvType: "f32", contextLength: 256 });
    const expected = greedy(executor, prompt, 16);
    executor.dispose();
    expect((await judge(bytes, prompt, 16)).tokens).toEqual(expected);
  });

  it.each(weightTypeNames)("%s: the same numbers as our decoder gives", async (type) => {
    const { bytes, checkpoint } = await converted(await wide, { type });
    const prompt = [12, 200, 31, 7, 250, 99];
    const quantized = await judge(bytes, prompt, 1);
    const decoded = await judge((await converted(checkpoint, { type: "f32" })).bytes, prompt, 1);
    expect(quantized.logits).toHaveLength(320);
    const norm = Math.hypot(...decoded.logits);
    const error = Math.hypot(...decoded.logits.map((logit, i) => logit - quantized.logits[i]!));
    expect(error / norm).toBeLessThan(tolerance(type));
  });
});

/**
 * Bound of the relative error. llama.cpp rounds the other operand of a matmul: to 8 bits for quantisation blocks
 * (measured: 0.024 .. 0.053 after these eight layers), and to the weights' type for 16-bit floats (BF16 0.007). Wrong
 * blocks give 1 and more.
 */
function tolerance(type: WeightType): number {
  if (type === "f32") return 1e-6;
  return type === "f16" ? 5e-3 : type === "bf16" ? 0.02 : 0.08;
}

/** Random weights, in rows of 256 and 512 that any type holds. */
async function wideModel() {
  const { metadata } = await fixtureGguf("llama");
  const sizes: [string, MetadataValue][] = [
    ["llama.embedding_length", 256],
    ["llama.feed_forward_length", 512],
    ["llama.attention.head_count", 4],
    ["llama.attention.head_count_kv", 2],
    ["llama.block_count", 8],
  ];
  const tensors: { name: string; shape: number[] }[] = [{ name: "token_embd.weight", shape: [320, 256] }];
  for (let i = 0; i < 8; i++)
    for (const [name, ...shape] of [
      ["attn_norm", 256],
      ["attn_q", 256, 256],
      ["attn_k", 128, 256],
      ["attn_v", 128, 256],
      ["attn_output", 256, 256],
      ["ffn_norm", 256],
      ["ffn_gate", 512, 256],
      ["ffn_up", 512, 256],
      ["ffn_down", 256, 512],
    ] as const)
      tensors.push({ name: `blk.${i}.${name}.weight`, shape: [...shape] });
  tensors.push({ name: "output_norm.weight", shape: [256] });
  let state = 1;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const values = tensors.flatMap(({ shape }) =>
    Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
      shape.length === 1 ? 0.5 + uniform() : (uniform() + uniform() + uniform() - 1.5) / 8,
    ),
  );
  return syntheticCheckpoint(tensors, floatSource(values), { metadata: new Map([...metadata, ...sizes]) });
}
