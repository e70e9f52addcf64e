/**
 * Hyper-parameters that make no sense, for every architecture and both containers, end in a typed error or in a model
 * that generates. Nothing traps, nothing hangs, and no memory is allocated for a number in a header alone.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ErrorCode, NibbleError } from "../../src/base/errors.ts";
import type { Checkpoint, MetadataValue } from "../../src/formats/checkpoint.ts";
import { readHuggingFace } from "../../src/formats/huggingface/folder.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import { fixtureFiles, memoryFiles } from "../formats/helpers.ts";
import { architectures, greedy, openFixture, testHost } from "../helpers/models.ts";

/** A fixture for every architecture. */
const FIXTURES = [
  "mobilellm-r1",
  "llama3-rope",
  "qwen2",
  "qwen3",
  "gemma3",
  "olmo2",
  "granite4-dense",
  "olmo3",
] as const;

type Outcome = ErrorCode | "runs";

const wasm = await testHost.wasm("simd");

/** Loads and generates 8 tokens. */
async function outcome(reading: Promise<Checkpoint> | Checkpoint): Promise<Outcome> {
  try {
    const checkpoint = await reading;
    const options = { wasm, maxBatchTokens: 8, maxLogitRows: 1, memoryLimit: 2 ** 27 } as const;
    const room = { cacheTokens: 64, maxSequences: 1 };
    const executor = await loadExecutor(checkpoint, testHost, { ...options, ...room });
    greedy(executor, [1, 2, 3], Math.min(8, executor.contextLength - 3));
    executor.dispose();
    return "runs";
  } catch (error) {
    // A trap is a NibbleError too, but it is not how a header is refused.
    if (!(error instanceof NibbleError) || error.code === "poisoned") throw error;
    return error.code;
  }
}

/** Keys that files may have and the fixtures do not. */
const OPTIONAL_KEYS = [
  "attention.key_length",
  "attention.value_length",
  "attention.scale",
  "attention.sliding_window",
  "attention.sliding_window_pattern",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "expert_count",
  "rope.dimension_count",
  "rope.freq_base_swa",
  "rope.scaling.type",
  "rope.scaling.factor",
  "rope.scaling.attn_factor",
  "rope.scaling.original_context_length",
  "rope.scaling.yarn_beta_fast",
  "rope.scaling.yarn_beta_slow",
  "rope.scaling.yarn_log_multiplier",
  "embedding_scale",
  "residual_scale",
  "logit_scale",
  "attention.temperature_scale",
  "layer_repeat_count",
];

const values = (layers: number, valid: MetadataValue | undefined): (MetadataValue | undefined)[] => [
  ...[undefined, 0, 1, -1, 3, 0.5, 2 ** 31, 2 ** 53, Number.NaN, Infinity],
  ...["8", true],
  ...[[], layers, layers + 1].map((n) => new Uint32Array(Number(n)).fill(Number(valid) || 1)),
  new Float32Array(layers).fill(Number.NaN),
  new Array(layers).fill("8"),
];

/** Values that are wrong for every architecture. */
const REFUSED: readonly (readonly [key: string, value: MetadataValue | undefined, codes: string])[] = [
  ...["block_count", "embedding_length", "attention.head_count", "feed_forward_length", "context_length"].flatMap(
    (key) =>
      [
        [key, undefined, "missing_key"],
        [key, 0, "bad_value"],
        [key, -1, "bad_value"],
        [key, 1.5, "bad_value"],
        [key, 2 ** 31, "bad_value"],
        [key, 2 ** 53, "bad_value"],
        [key, Number.NaN, "bad_value"],
        [key, Infinity, "bad_value"],
        [key, "64", "bad_type"],
        [key, true, "bad_type"],
      ] as const,
  ),
  ["block_count", 1, "unsupported_architecture"], // tensors of further layers
  ["block_count", 1000, "missing_tensor"],
  ["block_count", new Uint32Array([2]), "bad_type"],
  ["attention.head_count", 5, "bad_value or bad_shape"],
  ["attention.head_count_kv", 0, "bad_value"],
  ["attention.head_count_kv", 1000, "bad_value"],
  ["attention.head_count", new Uint32Array(1000).fill(2), "bad_value"],
  ["feed_forward_length", 65, "bad_shape"],
  ["embedding_length", 65, "bad_value or bad_shape"],
  ["attention.key_length", 0, "bad_value"],
  ["attention.key_length", 32, "bad_value or bad_shape"],
  ["attention.value_length", 128 + 64, "bad_value"],
  ["attention.layer_norm_rms_epsilon", undefined, "missing_key"],
  ["attention.layer_norm_rms_epsilon", -1e-6, "bad_value"],
  ["attention.layer_norm_rms_epsilon", Number.NaN, "bad_value"],
  ["attention.layer_norm_rms_epsilon", 2, "bad_value"],
  ["attention.scale", 0, "bad_value"],
  ["attention.scale", Number.NaN, "bad_value"],
  ["rope.dimension_count", 0, "bad_value"],
  ["rope.dimension_count", 7, "bad_value"],
  ["rope.dimension_count", 1000, "bad_value"],
  ["rope.freq_base", 0, "bad_value"],
  ["rope.freq_base", Infinity, "bad_value"],
  ["rope.freq_base", "1e6", "bad_type"],
];

describe.each(FIXTURES)("%s", (name) => {
  const changed = async (key: string, value: MetadataValue | undefined): Promise<Checkpoint> => {
    const checkpoint = await openFixture(name, "gguf");
    const metadata = new Map(checkpoint.metadata);
    const full = `${checkpoint.architecture}.${key}`;
    if (value === undefined) metadata.delete(full);
    else metadata.set(full, value);
    return { ...checkpoint, metadata };
  };

  it.each(REFUSED)("GGUF %s = %s: %s", async (key, value, codes) => {
    const reading = changed(key, value);
    expect(codes.split(" or ")).toContain(await outcome(reading));
    await (await reading).close();
  });

  it("GGUF: any value of any key is a typed error, or the model generates", async () => {
    const checkpoint = await openFixture(name, "gguf");
    await checkpoint.close();
    const prefix = `${checkpoint.architecture}.`;
    const present = [...checkpoint.metadata.keys()].filter((key) => key.startsWith(prefix));
    const keys = new Set([...present.map((key) => key.slice(prefix.length)), ...OPTIONAL_KEYS]);
    const layers = checkpoint.metadata.get(`${prefix}block_count`) as number;
    const outcomes = new Map<Outcome, number>();
    for (const key of keys) {
      for (const value of values(layers, checkpoint.metadata.get(prefix + key))) {
        const reading = await changed(key, value);
        const came = await outcome(reading);
        await reading.close();
        outcomes.set(came, (outcomes.get(came) ?? 0) + 1);
      }
    }
    expect(outcomes.get("bad_value")).toBeGreaterThan(60);
    expect(outcomes.get("bad_type")).toBeGreaterThan(30);
  });

  const config: Record<string, unknown> = JSON.parse(readFileSync(join(architectures, name, "config.json"), "utf8"));
  const legacy = JSON.parse(readFileSync(join(architectures, name, "config.legacy.json"), "utf8"));

  it("config.json, both spellings: any value of any key is a typed error, or the model generates", async () => {
    const files = fixtureFiles(name);
    const odd = [undefined, null, 0, -1, 3, 0.5, 2 ** 31, 2 ** 53, "8", true, [], {}, [0, 1]];
    const outcomes = new Map<Outcome, number>();
    for (const [key, valid] of Object.entries({ ...config, ...legacy })) {
      if (/^(architectures|attention_dropout|d?_?.*dtype|initializer_range|transformers_version|use_cache)$/.test(key))
        continue;
      for (const value of odd) {
        if (value === valid) continue;
        const text = JSON.stringify({ ...(key in config ? config : legacy), [key]: value });
        const came = await outcome(readHuggingFace(memoryFiles({ ...files, "config.json": text })));
        outcomes.set(came, (outcomes.get(came) ?? 0) + 1);
      }
    }
    expect(outcomes.get("bad_value")).toBeGreaterThan(30);
    expect(outcomes.get("bad_type")).toBeGreaterThan(50);
  });

  it.each([
    ["hidden_size", undefined, "missing_key"],
    ["num_hidden_layers", undefined, "missing_key"],
    ["num_attention_heads", undefined, "missing_key or bad_shape"],
    ["num_attention_heads", 0, "bad_value"],
    ["num_key_value_heads", 0, "bad_value"],
    ["num_hidden_layers", 100_000, "limit_exceeded"],
    ["head_dim", -64, "bad_value"],
    ["rms_norm_eps", "small", "bad_type"],
    ["rope_parameters", 5, "bad_type"],
    ["rope_parameters", { rope_type: "ntk-by-parts", rope_theta: 1e4, factor: 4 }, "unsupported_architecture"],
    ["model_type", "mamba", "unsupported_architecture"],
  ])("config.json %s = %j: %s", async (key, value, code) => {
    const text = JSON.stringify({ ...config, [key]: value });
    const came = await outcome(readHuggingFace(memoryFiles({ ...fixtureFiles(name), "config.json": text })));
    expect(code.split(" or ")).toContain(came);
  });
});

describe("hyper-parameters of one family", () => {
  const read = (name: string, changes: object): Promise<Outcome> => {
    const config = JSON.parse(readFileSync(join(architectures, name, "config.json"), "utf8"));
    const text = JSON.stringify({ ...config, ...changes });
    return outcome(readHuggingFace(memoryFiles({ ...fixtureFiles(name), "config.json": text })));
  };

  it.each([
    ["qwen2", { use_sliding_window: true, sliding_window: 16, max_window_layers: 1, layer_types: null }, "runs"],
    ["qwen2", { use_sliding_window: true, sliding_window: null, max_window_layers: 0, layer_types: null }, "runs"],
    ["qwen3", { layer_types: ["chunked_attention", "full_attention"] }, "unsupported_architecture"],
    ["gemma3", { sliding_window: 0 }, "bad_value"],
    ["gemma3", { layer_types: ["full_attention"] }, "bad_value"],
    ["gemma3", { layer_types: new Array(7).fill("linear_attention") }, "unsupported_architecture"],
    ["gemma3", { layer_types: new Array(7).fill("full_attention") }, "runs"],
    ["gemma3", { hidden_activation: "gelu" }, "unsupported_architecture"],
    ["gemma3", { use_bidirectional_attention: 1 }, "bad_type"],
    ["gemma3", { query_pre_attn_scalar: 0 }, "bad_value"],
    ["gemma3", { attn_logit_softcapping: 50, final_logit_softcapping: 30 }, "runs"],
    ["gemma3", { final_logit_softcapping: -1 }, "bad_value"],
  ] as const)("%s %j: %s", async (name, changes, code) => {
    expect(await read(name, changes)).toBe(code);
  });
});
