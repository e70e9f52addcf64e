/**
 * config.json of transformers as GGUF metadata (llama.cpp, conversion/*.py). families.ts says what is specific to a family.
 *
 * There are keys of our own for facts that GGUF has no key for:
 * - `nibble.end_token_ids`: numbers, every `eos_token_id` of config.json and generation_config.json.
 * - `nibble.rope.scaling.low_freq_factor`, `.high_freq_factor`: numbers, where `{a}.rope.scaling.type` is "llama3". (A GGUF
 *   file has the tensor rope_freqs.weight instead.)
 * - `nibble.tokenizer.nfc`: boolean, where the name of the pre-tokenizer says otherwise. `nibble.tokenizer.pipeline`: text, the
 *   steps of a tokenizer that GGUF's keys cannot express (src/tokenizer/gguf-pipeline.ts).
 *   `nibble.tokenizer.space_prefix_first`: boolean, a space comes in front of a whole text only (of tokenizer.model).
 * - llama4 only: `nibble.use_rope`: booleans, one per layer. `nibble.use_qk_norm`: boolean; layers with RoPE then have a
 *   norm without weights after it. `nibble.attention.chunk_size`: numbers, one per layer, 0 for full attention.
 *   `nibble.attention.temperature_tuning`: boolean, `.temperature_scale`, `.temperature_floor`: numbers, for the layers
 *   without RoPE.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MetadataValue, TensorInfo } from "../checkpoint.ts";
import { defaultLimits } from "../limits.ts";
import { getBoolean, getFloat, getNumber, getString, getStrings } from "../typed-values.ts";
import { refuseUnreadConfig } from "./config-keys.ts";
import { biasKeys, type Family, type Put } from "./family.ts";
import { addRope, headSize, rotatedSize } from "./rope-config.ts";
import { readTextConfig } from "./text-config.ts";

/** A config.json under GGUF's keys, and what it says about the tensors. */
export interface TranslatedConfig {
  readonly family: Family;
  readonly metadata: Map<string, MetadataValue>;
  readonly layers: number;
  /** Tensors that config.json holds the values of. */
  readonly tensors: readonly TensorInfo[];
  /** Whether the embedding table serves as the matrix of the LM head. */
  readonly tied: boolean;
  /** Names of the projections of a layer that have a bias, such as `attn_q`. */
  readonly biased: ReadonlySet<string>;
  /** Whether the model is the text part of a multimodal one, whose other tensors are skipped. */
  readonly isPart: boolean;
  /** Whether the files are those of a class without an LM head. */
  readonly isBase: boolean;
}

/**
 * Metadata from config.json (with `rope_parameters`, or in the older spelling with `rope_theta` and `rope_scaling`) and
 * generation_config.json. Numbers that a GGUF file stores as f32 are rounded to f32, so that both containers give the same
 * model. Every key of config.json is read, or known to change nothing, or refused (`refuseUnreadConfig`).
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_type`, `bad_value`, `limit_exceeded`
 */
export function translateConfig(json: JsonObject, generationConfig: JsonObject | undefined): TranslatedConfig {
  const { config, modelType, family: found, isPart } = readTextConfig(json);
  const family = { ...found, ...found.variant?.(config) };
  checkActivation(config, family);
  const { architecture } = family;
  const metadata = new Map<string, MetadataValue>([["general.architecture", architecture]]);
  const put: Put = (key, value) => metadata.set(key.replace("{a}", architecture), value);
  const layers = addSizes(config, family, put);
  const tensors = family.isEncoder ? [] : addRope(config, family, put);
  if (family.mayBeBidirectional && !getBoolean(config, "is_causal", { default: true }))
    put("{a}.attention.causal", false);
  family.addFacts?.(config, put, layers);
  addTokenIds(config, generationConfig, put);
  if (generationConfig) addSampling(generationConfig, put);
  const tied = tiesEmbeddings(config, family);
  const biased = biasedProjections(config, family);
  refuseUnreadConfig(config, modelType, family);
  const [first] = getStrings(json, "architectures") ?? [];
  const isBase = /Model$|ForSequenceClassification$/.test(first ?? "");
  return { family, metadata, layers, tensors, tied, biased, isPart, isBase };
}

function tiesEmbeddings(config: JsonObject, { tiedKey, defaults }: Family): boolean {
  const tied = getBoolean(config, "tie_word_embeddings", { default: defaults.tie_word_embeddings });
  const other = tiedKey !== undefined && getBoolean(config, tiedKey, { default: false });
  return tied || other;
}

function biasedProjections(config: JsonObject, family: Family): Set<string> {
  const keys = family.biasKeys ?? biasKeys;
  const has = (key?: string): boolean => key !== undefined && getBoolean(config, key, { default: false });
  return new Set([
    ...(family.biased ?? []),
    ...(has(keys.attention) ? ["attn_q", "attn_k", "attn_v", "attn_output"] : []),
    ...(has(keys.feedForward) ? ["ffn_gate", "ffn_up", "ffn_down"] : []),
    ...(has(keys.convolution) ? ["shortconv.in_proj", "shortconv.conv", "shortconv.out_proj"] : []),
  ]);
}

function checkActivation(config: JsonObject, family: Family): void {
  const { key, name } = family.activation ?? { key: "hidden_act", name: "silu" };
  const activation = getString(config, key, { default: name });
  if (activation === name) return;
  throw new NibbleError(
    "unsupported_architecture",
    `config.json ${key}: ${JSON.stringify(activation)} is not supported; this model_type has "${name}"`,
  );
}

/** Adds the sizes that every architecture has. Returns the number of layers. */
function addSizes(config: JsonObject, family: Family, put: Put): number {
  const { defaults, feedForward } = family;
  const size = (key: string, fallback?: number): number =>
    getNumber(config, key, {
      integer: true,
      min: 1,
      max: 2 ** 31 - 1,
      ...(fallback === undefined ? {} : { default: fallback }),
    });
  const layers = size("num_hidden_layers");
  if (layers > defaultLimits.layers) {
    throw new NibbleError(
      "limit_exceeded",
      `config.json num_hidden_layers: expected at most ${defaultLimits.layers}, got ${layers}`,
    );
  }
  const heads = size("num_attention_heads", defaults.num_attention_heads);
  put("{a}.block_count", layers);
  put("{a}.context_length", size("max_position_embeddings", defaults.max_position_embeddings));
  put("{a}.embedding_length", size("hidden_size"));
  put("{a}.feed_forward_length", size(feedForward, defaults.feed_forward));
  put("{a}.attention.head_count", heads);
  if (family.isEncoder) {
    put("{a}.attention.layer_norm_epsilon", getFloat(config, "layer_norm_eps", { default: 1e-12, min: 0 }));
    put("{a}.attention.causal", false);
    return layers;
  }
  const head = headSize(config, family);
  // As in transformers, null stands for one kv head per query head, and not for the default of a missing key.
  const kvHeads = config.get("num_key_value_heads") === null ? heads : (defaults.num_key_value_heads ?? heads);
  put("{a}.attention.head_count_kv", size("num_key_value_heads", kvHeads));
  put(
    "{a}.attention.layer_norm_rms_epsilon",
    getFloat(config, family.epsilon ?? "rms_norm_eps", { default: defaults.rms_norm_eps, min: 0 }),
  );
  put("{a}.vocab_size", size("vocab_size", defaults.vocab_size));
  put("{a}.attention.key_length", head);
  put("{a}.attention.value_length", head);
  put("{a}.rope.dimension_count", rotatedSize(config, family));
  return layers;
}

/** Settings of generation_config.json and llama.cpp's keys for them. */
const samplingKeys = [
  ["temperature", "temp"],
  ["top_k", "top_k"],
  ["top_p", "top_p"],
  ["min_p", "min_p"],
  ["repetition_penalty", "penalty_repeat"],
] as const;

/** Adds the recommended settings. One that is not a number is ignored, because the model can be run without it. */
function addSampling(generationConfig: JsonObject, put: Put): void {
  for (const [name, key] of samplingKeys) {
    const value = generationConfig.get(name);
    if (typeof value === "number") put(`general.sampling.${key}`, key === "top_k" ? value : Math.fround(value));
  }
  // Without sampling the decoding is greedy.
  if (generationConfig.get("do_sample") === false) put("general.sampling.temp", 0);
}

function addTokenIds(config: JsonObject, generationConfig: JsonObject | undefined, put: Put): void {
  const bos = tokenIds(config, "bos_token_id")[0];
  const eos = tokenIds(config, "eos_token_id");
  const padding = tokenIds(config, "pad_token_id")[0];
  const ends = new Set([...eos, ...(generationConfig ? tokenIds(generationConfig, "eos_token_id") : [])]);
  if (bos !== undefined) put("tokenizer.ggml.bos_token_id", bos);
  if (eos[0] !== undefined) put("tokenizer.ggml.eos_token_id", eos[0]);
  if (padding !== undefined) put("tokenizer.ggml.padding_token_id", padding);
  if (ends.size > 0) put("nibble.end_token_ids", Uint32Array.from(ends));
}

/** The ids under a key, which may be missing or null, one number, or a list. */
function tokenIds(config: JsonObject, key: string): number[] {
  const value = config.get(key) ?? [];
  const ids = Array.isArray(value) ? value : [value];
  // -1 stands for "none" in some files.
  return ids
    .filter((id) => id !== -1)
    .map((id) => getNumber(new Map([[key, id]]), key, { integer: true, min: 0, max: 2 ** 32 - 1 }));
}
