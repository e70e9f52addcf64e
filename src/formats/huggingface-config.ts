/**
 * config.json of transformers as GGUF metadata (llama.cpp, conversion/*.py), one table entry a model family.
 *
 * Keys of our own, for facts that GGUF has no key for:
 * - `nibble.end_token_ids` numbers: every `eos_token_id` of config.json and generation_config.json.
 * - `nibble.rope.scaling.low_freq_factor`, `.high_freq_factor` numbers: with `{a}.rope.scaling.type` "llama3"
 *   (a GGUF file carries the tensor rope_freqs.weight instead).
 * - llama4 only: `nibble.use_rope` booleans, one a layer; `nibble.use_qk_norm` boolean (weightless, after RoPE, on layers
 *   with RoPE); `nibble.attention.chunk_size` numbers, one a layer, 0 = full attention;
 *   `nibble.attention.temperature_tuning` boolean, `.temperature_scale`, `.temperature_floor` numbers (on layers without RoPE).
 * @module
 */
import { NibbleError } from "../errors.ts";
import { isObject } from "./json.ts";
import { getBoolean, getNumber, getNumbers, getString, getStrings } from "./metadata.ts";
import type { JsonObject, Metadata, MetadataValue } from "./types.ts";

/** How a `model_type` of transformers maps to GGUF. */
export interface Family {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Tensors of a layer: name in `model.layers.N.` to name in `blk.N.`, both without `.weight` or `.bias`. */
  readonly layerTensors: ReadonlyMap<string, string>;
  /** What transformers' configuration class takes for a missing key. */
  readonly defaults: {
    readonly rms_norm_eps: number;
    readonly rope_theta: number;
    readonly tie_word_embeddings: boolean;
    readonly max_position_embeddings: number;
    /** Undefined: hidden_size / num_attention_heads. */
    readonly head_dim?: number;
    /** Undefined: num_attention_heads. */
    readonly num_key_value_heads?: number;
  };
  /** Config key of the width of the (dense) feed-forward layer. */
  readonly feedForward: string;
  /** Checks and keys beyond those that all families share. */
  readonly addFacts?: (config: JsonObject, put: Put, layers: number) => void;
}

/** Sets a key; `{a}` stands for the architecture. */
type Put = (key: string, value: MetadataValue) => void;

const attentionTensors = [
  ["input_layernorm", "attn_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
] as const;

const feedForwardTensors = (prefix: string): (readonly [string, string])[] => [
  [`${prefix}.gate_proj`, "ffn_gate"],
  [`${prefix}.up_proj`, "ffn_up"],
  [`${prefix}.down_proj`, "ffn_down"],
];

const families: ReadonlyMap<string, Family> = new Map<string, Family>([
  [
    "llama",
    {
      architecture: "llama",
      layerTensors: new Map([
        ...attentionTensors,
        ["post_attention_layernorm", "ffn_norm"],
        ...feedForwardTensors("mlp"),
      ]),
      defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
      feedForward: "intermediate_size",
    },
  ],
  [
    "llama4_text",
    {
      architecture: "llama4",
      layerTensors: new Map([
        ...attentionTensors,
        ["post_attention_layernorm", "ffn_norm"],
        ...feedForwardTensors("feed_forward"),
      ]),
      defaults: {
        rms_norm_eps: 1e-5,
        rope_theta: 500_000,
        tie_word_embeddings: false,
        max_position_embeddings: 131_072,
        head_dim: 128,
        num_key_value_heads: 8,
      },
      feedForward: "intermediate_size_mlp",
      addFacts: addLlama4Facts,
    },
  ],
]);

/**
 * Metadata from config.json (both spellings: `rope_parameters` or `rope_theta` and `rope_scaling`) and generation_config.json.
 * Numbers that a GGUF file stores as f32 are rounded to it, so that both containers give the same model.
 * @throws NibbleError `unsupported_architecture`, `missing_key`, `bad_type`, `bad_value`
 */
export function translateConfig(
  config: JsonObject,
  generationConfig: JsonObject | undefined,
): { family: Family; metadata: Metadata } {
  const modelType = getString(config, "model_type");
  const family = families.get(modelType);
  if (!family) {
    const known = [...families.keys()].join(", ");
    throw new NibbleError("unsupported_architecture", `config.json: expected model_type ${known}, got ${modelType}`);
  }
  const { architecture, defaults } = family;
  const metadata = new Map<string, MetadataValue>([["general.architecture", architecture]]);
  const put: Put = (key, value) => metadata.set(key.replace("{a}", architecture), value);
  const size = (key: string, fallback?: number): number =>
    getNumber(config, key, { integer: true, min: 1, max: 2 ** 31 - 1, ...(fallback ? { default: fallback } : {}) });

  const activation = getString(config, "hidden_act", { default: "silu" });
  if (activation !== "silu") {
    throw new NibbleError(
      "unsupported_architecture",
      `config.json hidden_act: expected "silu", got ${JSON.stringify(activation)}`,
    );
  }
  const layers = size("num_hidden_layers");
  const heads = size("num_attention_heads");
  const headSize = size("head_dim", defaults.head_dim ?? Math.floor(size("hidden_size") / heads));
  put("{a}.block_count", layers);
  put("{a}.context_length", size("max_position_embeddings", defaults.max_position_embeddings));
  put("{a}.embedding_length", size("hidden_size"));
  put("{a}.feed_forward_length", size(family.feedForward));
  put("{a}.attention.head_count", heads);
  put("{a}.attention.head_count_kv", size("num_key_value_heads", defaults.num_key_value_heads ?? heads));
  put(
    "{a}.attention.layer_norm_rms_epsilon",
    Math.fround(getNumber(config, "rms_norm_eps", { default: defaults.rms_norm_eps, min: 0 })),
  );
  put("{a}.vocab_size", size("vocab_size"));
  put("{a}.attention.key_length", headSize);
  put("{a}.attention.value_length", headSize);
  put("{a}.rope.dimension_count", headSize);
  addRope(config, family, put);
  family.addFacts?.(config, put, layers);
  addTokenIds(config, generationConfig, put);
  return { family, metadata };
}

function addRope(config: JsonObject, { defaults }: Family, put: Put): void {
  const scaling = config.get("rope_parameters") ?? config.get("rope_scaling") ?? new Map<string, never>();
  if (!isObject(scaling)) throw new NibbleError("bad_type", "config.json rope_scaling: expected an object or null");
  const theta = getNumber(scaling, "rope_theta", {
    default: getNumber(config, "rope_theta", { default: defaults.rope_theta, min: 1 }),
    min: 1,
  });
  put("{a}.rope.freq_base", Math.fround(theta));
  const type = getString(scaling, "rope_type", { default: getString(scaling, "type", { default: "default" }) });
  if (type === "default") return;
  if (type !== "llama3" && type !== "linear") {
    throw new NibbleError(
      "unsupported_architecture",
      `config.json rope_type: expected default, linear or llama3, got ${type}`,
    );
  }
  put("{a}.rope.scaling.type", type);
  put("{a}.rope.scaling.factor", Math.fround(getNumber(scaling, "factor", { min: 1 })));
  if (type !== "llama3") return;
  const low = getNumber(scaling, "low_freq_factor", { min: 0 });
  const high = getNumber(scaling, "high_freq_factor", { min: 0 });
  if (low === 0 || high <= low) {
    throw new NibbleError(
      "bad_value",
      `config.json rope_scaling: expected 0 < low_freq_factor < high_freq_factor, got ${low}, ${high}`,
    );
  }
  put(
    "{a}.rope.scaling.original_context_length",
    getNumber(scaling, "original_max_position_embeddings", { integer: true, min: 1 }),
  );
  put("nibble.rope.scaling.low_freq_factor", low);
  put("nibble.rope.scaling.high_freq_factor", high);
}

/** Llama 4 without experts: MobileLLM-R1 and crumb (transformers, llama4/configuration_llama4.py). */
function addLlama4Facts(config: JsonObject, put: Put, layers: number): void {
  const step = getNumber(config, "interleave_moe_layer_step", { default: 1, integer: true, min: 0 });
  const moeLayers = getNumbers(config, "moe_layers");
  // Without the list every step-th layer has experts; step 0 says none (transformers itself fails there).
  if (moeLayers ? moeLayers.length > 0 : step > 0) {
    throw new NibbleError(
      "unsupported_architecture",
      "config.json: expected a llama4_text model without experts (moe_layers [] or interleave_moe_layer_step 0), got a mixture of experts",
    );
  }
  put("{a}.interleave_moe_layer_step", 0);
  put("{a}.expert_count", 0);
  put("{a}.expert_used_count", 0);
  put(
    "{a}.expert_feed_forward_length",
    getNumber(config, "intermediate_size", { default: 8192, integer: true, min: 0 }),
  );
  put("{a}.attention.sliding_window", 0);

  const interval = getNumber(config, "no_rope_layer_interval", { default: 4, integer: true, min: 1 });
  const listed = getNumbers(config, "no_rope_layers");
  // Copies of a larger model's list are longer than the model: index by layer, ignore the rest.
  if (listed && listed.length > 0 && listed.length < layers) {
    throw new NibbleError("bad_value", `config.json no_rope_layers: expected ${layers} entries, got ${listed.length}`);
  }
  // Despite the name, 1 says that the layer has RoPE.
  const useRope = Array.from({ length: layers }, (_, i) =>
    listed?.length ? listed[i] !== 0 : (i + 1) % interval !== 0,
  );
  put("nibble.use_rope", useRope);
  put("nibble.use_qk_norm", getBoolean(config, "use_qk_norm", { default: true }));
  put("nibble.attention.chunk_size", chunkSizes(config, useRope));
  put("nibble.attention.temperature_tuning", getBoolean(config, "attn_temperature_tuning", { default: true }));
  put("nibble.attention.temperature_scale", getNumber(config, "attn_scale", { default: 0.1 }));
  put("nibble.attention.temperature_floor", getNumber(config, "floor_scale", { default: 8192, min: 1 }));
}

/** A layer attends within chunks or to all; a chunk that no position of the model leaves is full attention. */
function chunkSizes(config: JsonObject, useRope: readonly boolean[]): Uint32Array {
  const chunk = getNumber(config, "attention_chunk_size", { default: 8192, integer: true, min: 0, max: 2 ** 31 - 1 });
  const context = getNumber(config, "max_position_embeddings", { default: 131_072 });
  const types =
    getStrings(config, "layer_types") ?? useRope.map((rope) => (rope ? "chunked_attention" : "full_attention"));
  if (types.length < useRope.length) {
    throw new NibbleError(
      "bad_value",
      `config.json layer_types: expected ${useRope.length} entries, got ${types.length}`,
    );
  }
  return Uint32Array.from(useRope, (_, i) => {
    if (types[i] === "full_attention") return 0;
    if (types[i] === "chunked_attention") return chunk >= context ? 0 : chunk;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: expected full_attention or chunked_attention, got ${types[i]}`,
    );
  });
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

/** Ids under a key that holds none (missing or null), one, or a list. */
function tokenIds(config: JsonObject, key: string): number[] {
  const value = config.get(key) ?? [];
  const ids = Array.isArray(value) ? value : [value];
  // -1 stands for "none" in some files.
  return ids
    .filter((id) => id !== -1)
    .map((id) => getNumber(new Map([[key, id]]), key, { integer: true, min: 0, max: 2 ** 32 - 1 }));
}
