/**
 * Configurations that are easily read wrongly: each gives the logits of transformers, or those of a plainer spelling of the
 * same model.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { type Config, configOf, read } from "../formats/huggingface/fixture.ts";
import { architectures, argmax, executorOf, floats, mergedFiles, root, testHost } from "../helpers/models.ts";

const OPTIONS = { build: "simd", kvType: "f32", maxLogitRows: 40, contextLength: 64, cacheTokens: 128 } as const;

const logitsOf = async (checkpoint: Checkpoint, tokens: number[]): Promise<Float32Array[]> => {
  const executor = await executorOf(checkpoint, OPTIONS);
  return executor.forward([{ sequence: executor.createSequence(), tokens, logits: "all" }]);
};

describe.each(["llama-attention-bias", "llama-mlp-bias", "qwen3-attention-bias", "qwen2-window"])("%s", (name) => {
  it("has the logits of transformers", async () => {
    const folder = join(root, "test/fixtures/variants", name);
    const reference = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8"));
    const expected = floats(reference.logits_float64);
    const files = mergedFiles([folder, join(architectures, "tokenizer")]);
    const rows = await logitsOf(await openCheckpoint(files, testHost), reference.input_ids);
    const differences = reference.positions.flatMap((position: number, i: number) =>
      Array.from(rows[position]!, (logit, v) => Math.abs(logit - expected[i * 320 + v]!)),
    );
    expect(Math.max(...differences)).toBeLessThan(5e-5);
    expect(rows.map(argmax)).toEqual(reference.argmax);
  });
});

const TOKENS = [7, 90, 33, 150, 211, 64, 18, 99, 254, 3];
const without = Object.fromEntries(["rope_parameters", "rope_theta", "rope_scaling"].map((key) => [key, undefined]));

/** Name, fixture, changes, and the changes that must give the same logits. */
const SAME: readonly (readonly [name: string, fixture: string, changes: Config, plain: Config])[] = [
  [
    "rope_scaling beside rope_parameters counts alone",
    "llama",
    { rope_parameters: { rope_theta: 1e5 }, rope_theta: 1e5, rope_scaling: { type: "linear", factor: 4 } },
    { ...without, rope_parameters: { rope_type: "linear", factor: 4, rope_theta: 1e5 } },
  ],
  ["partial_rotary_factor of Llama is ignored", "llama", { partial_rotary_factor: 0.5 }, {}],
  [
    "windows from a layer on that is not there",
    "qwen2",
    { layer_types: undefined, use_sliding_window: true, sliding_window: 2 },
    {},
  ],
  [
    "windows as long as the context",
    "qwen3",
    { layer_types: undefined, use_sliding_window: true, sliding_window: 4096, max_window_layers: 0 },
    {},
  ],
  ["attn_logit_softcapping of Gemma 3 is ignored", "gemma3", { attn_logit_softcapping: 1.5 }, {}],
  ["_sliding_window_pattern is ignored", "gemma3", { layer_types: undefined, _sliding_window_pattern: 2 }, {}],
];

describe("spellings of the same model", () => {
  it.each(SAME)("%s", async (_, fixture, changes, plain) => {
    const [odd, expected] = [await read(fixture, changes), await read(fixture, plain)];
    expect(await logitsOf(odd, TOKENS)).toEqual(await logitsOf(expected, TOKENS));
  });

  it("a head beside tied embeddings counts", async () => {
    const untied = { ...configOf("llama-untied"), tie_word_embeddings: true };
    const odd = await read("llama-untied", untied);
    expect(odd.tensors.has("output.weight")).toBe(true);
    expect(await logitsOf(odd, TOKENS)).toEqual(await logitsOf(await read("llama-untied"), TOKENS));
  });
});

describe("configurations that are refused by name", () => {
  it.each([
    ["qwen2", { layer_types: ["full_attention", "sliding_attention"], sliding_window: 8 }, "use_sliding_window"],
    ["gemma3", { rope_parameters: { rope_type: "linear", factor: 8, rope_theta: 5e4 } }, "rope_parameters"],
    [
      "gemma3",
      { rope_parameters: { sliding_attention: { rope_type: "linear", factor: 4 } } },
      "rope_parameters.sliding_attention.rope_type",
    ],
    ["llama", { rope_scaling: { type: "linear", factor: 4 }, rope_parameters: { rope_theta: 7 } }, "rope_parameters"],
    ["llama", { attention_bias: true }, "bias of blk.0.attn_q"],
    ["qwen3", { mlp_bias: true }, "bias of blk.0.ffn_gate"],
  ])("%s %j", async (fixture, changes, text) => {
    await expect(read(fixture, changes)).rejects.toThrow(text);
  });

  it("windows of Qwen's bidirectional attention", async () => {
    const windows = { layer_types: undefined, use_sliding_window: true, sliding_window: 8, max_window_layers: 1 };
    const odd = await read("qwen2", { ...windows, is_causal: false });
    await expect(logitsOf(odd, TOKENS)).rejects.toThrow("windows of bidirectional attention");
  });
});
