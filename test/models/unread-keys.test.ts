/** The rule of keys: a hyper-parameter is read, or known to change nothing, or refused by name. */
import { describe, expect, it } from "vitest";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { describeModel } from "../../src/models/index.ts";
import { codeOf } from "../formats/helpers.ts";
import { read } from "../formats/huggingface/fixture.ts";
import { openFixture } from "../helpers/models.ts";

const FIXTURES = ["mobilellm-r1", "llama3-rope", "qwen2", "qwen3", "gemma3", "olmo2"] as const;

/** Keys of other models, of newer versions and misspelt ones, with the text that the error must have. */
const CONFIG: readonly (readonly [key: string, value: unknown, text: string])[] = [
  ["qk_clip", 5, "qk_clip"],
  ["num_key_value_head", 1, "did you mean num_key_value_heads?"],
  ["ropeTheta", 5e5, "did you mean rope_theta?"],
  ["is_causal", false, "attention of this model_type is causal"],
  ["use_rope", false, "use_rope"],
  ["layer_pattern", ["a", "b"], "layer_pattern"],
  ["attention_multiplier", 0.5, "attention_multiplier"],
  ["embedding_multiplier", 12, "embedding_multiplier"],
  ["position_embedding_type", "alibi", "position_embedding_type"],
  ["num_experts", 8, "num_experts"],
  ["qk_layernorm", true, "qk_layernorm"],
  ["constructor", 1, "constructor"],
  ["rope_parameters", { phases: 3 }, "rope_parameters.phases"],
];

/** What transformers and other tools write beside the hyper-parameters, and values that ask for nothing. */
const HARMLESS: Record<string, unknown> = {
  architectures: ["XForCausalLM"],
  auto_map: { AutoConfig: "x.Y" },
  _name_or_path: "a/b",
  transformers_version: "6.0.0",
  use_cache: false,
  attention_dropout: 0.1,
  classifier_dropout: 0.5,
  initializer_range: 0.3,
  router_aux_loss_coef: 0.1,
  id2label: { 0: "LABEL_0" },
  num_labels: 2,
  temperature: 0.7,
  max_length: 20,
  sep_token_id: 5,
  image_token_id: 9,
  pretraining_tp: 4,
  is_causal: true,
  qk_layernorm: false,
  clip_qkv: null,
  pruned_heads: {},
  num_local_experts: 0,
  embedding_multiplier: 1,
};

/** The fixtures whose architectures may be bidirectional. */
const EITHER = ["llama3-rope", "qwen2", "qwen3", "gemma3"];
const causal = (name: string, key: string): boolean => !(EITHER.includes(name) && key.endsWith("causal"));

describe.each(FIXTURES)("config.json of %s", (name) => {
  it.each(CONFIG.filter(([key]) => causal(name, key)))("%s = %j is refused", async (key, value, text) => {
    const reading = read(name, { [key]: value });
    expect(await codeOf(reading)).toBe("unsupported_architecture");
    await expect(reading).rejects.toThrow(text);
  });

  it("what changes nothing is accepted", async () => {
    expect(await codeOf(read(name, HARMLESS))).toBe("loaded");
  });
});

/** The same for a GGUF file. */
const METADATA: readonly (readonly [key: string, value: MetadataValue, text: string])[] = [
  ["attention.qk_clip", 5, "attention.qk_clip"],
  ["attention.head_count_vk", 1, "did you mean X.attention.head_count_kv?"],
  ["attention.causal", false, "attention of this architecture is causal"],
  ["attention.max_alibi_bias", 8, "RoPE"],
  ["embedding_scale", 12, "embeddings"],
  ["ssm.state_size", 16, "ssm.state_size"],
];

const HARMLESS_METADATA: Record<string, MetadataValue> = {
  vocab_size: 320,
  "attention.causal": true,
  "rope.scaling.finetuned": true,
  "rope.scaling.attn_factor": 1,
  expert_used_count: 0,
  use_parallel_residual: false,
};

describe.each(FIXTURES)("GGUF of %s", (name) => {
  const described = async (keys: Record<string, MetadataValue>) => {
    const checkpoint = await openFixture(name, "gguf");
    const metadata = new Map(checkpoint.metadata);
    for (const [key, value] of Object.entries(keys)) metadata.set(`${checkpoint.architecture}.${key}`, value);
    return describeModel({ ...checkpoint, metadata }).finally(checkpoint.close);
  };

  it.each(METADATA.filter(([key]) => causal(name, key)))("%s = %s is refused", async (key, value, text) => {
    const reading = described({ [key]: value });
    expect(await codeOf(reading)).toBe("unsupported_architecture");
    const architecture = name === "mobilellm-r1" ? "llama4" : name === "llama3-rope" ? "llama" : name;
    await expect(reading).rejects.toThrow(text.replace("X", architecture));
  });

  it("what changes nothing is accepted", async () => {
    expect(await codeOf(described(HARMLESS_METADATA))).toBe("loaded");
  });
});
