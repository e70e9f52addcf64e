/**
 * The model families of transformers that we run: one table entry each.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import type { MetadataValue } from "../checkpoint.ts";
import { getBoolean, getNumber, getNumbers, getStrings } from "../typed-values.ts";

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
  /** Config key and name of the activation. Undefined: `hidden_act`, `silu`. */
  readonly activation?: { readonly key: string; readonly name: string };
  /** Norms multiply with 1 + w. GGUF stores the sum. */
  readonly normsAddOne?: boolean;
  /** Checks and keys beyond those that all families share. */
  readonly addFacts?: (config: JsonObject, put: Put, layers: number) => void;
}

/** Sets a metadata key; `{a}` stands for the architecture. */
export type Put = (key: string, value: MetadataValue) => void;

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

/** Tensor names of Llama's layers, which most families share: `Family.layerTensors`. */
export const llamaLayerTensors: ReadonlyMap<string, string> = new Map([
  ...attentionTensors,
  ["post_attention_layernorm", "ffn_norm"],
  ...feedForwardTensors("mlp"),
]);

const queryKeyNorms = [
  ["self_attn.q_norm", "attn_q_norm"],
  ["self_attn.k_norm", "attn_k_norm"],
] as const;

const postNorms = [
  ["post_attention_layernorm", "post_attention_norm"],
  ["post_feedforward_layernorm", "post_ffw_norm"],
] as const;

/** Defaults that transformers' Qwen 2 and 3 share. */
const qwenDefaults = {
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  max_position_embeddings: 32_768,
  num_key_value_heads: 32,
};

const known = new Map<string, Family>([
  [
    "llama",
    {
      architecture: "llama",
      layerTensors: llamaLayerTensors,
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
  [
    "qwen2",
    {
      architecture: "qwen2",
      layerTensors: llamaLayerTensors,
      defaults: qwenDefaults,
      feedForward: "intermediate_size",
      addFacts: refuseWindows,
    },
  ],
  [
    "qwen3",
    {
      architecture: "qwen3",
      layerTensors: new Map([...llamaLayerTensors, ...queryKeyNorms]),
      defaults: { ...qwenDefaults, head_dim: 128 },
      feedForward: "intermediate_size",
      addFacts: refuseWindows,
    },
  ],
  [
    "gemma3_text",
    {
      architecture: "gemma3",
      layerTensors: new Map([
        ...attentionTensors,
        ...queryKeyNorms,
        ...postNorms,
        ["pre_feedforward_layernorm", "ffn_norm"],
        ...feedForwardTensors("mlp"),
      ]),
      defaults: {
        rms_norm_eps: 1e-6,
        rope_theta: 1_000_000,
        tie_word_embeddings: true,
        max_position_embeddings: 131_072,
        head_dim: 256,
        num_key_value_heads: 4,
      },
      feedForward: "intermediate_size",
      activation: { key: "hidden_activation", name: "gelu_pytorch_tanh" },
      normsAddOne: true,
      addFacts: addGemma3Facts,
    },
  ],
  [
    "olmo2",
    {
      architecture: "olmo2",
      layerTensors: new Map([
        ...attentionTensors.slice(1),
        ...queryKeyNorms,
        ...postNorms,
        ...feedForwardTensors("mlp"),
      ]),
      defaults: { rms_norm_eps: 1e-5, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
      feedForward: "intermediate_size",
    },
  ],
]);

/** By `model_type`. */
export const families: ReadonlyMap<string, Family> = known;

/** The family of an architecture. @throws NibbleError `unsupported_architecture` */
export function familyOfArchitecture(architecture: string): Family {
  for (const family of known.values()) if (family.architecture === architecture) return family;
  throw new NibbleError("unsupported_architecture", `${architecture}: no names of Hugging Face are known for it`);
}

/** One of the same `model_type` is replaced. */
export function registerFamily(modelType: string, family: Family): void {
  known.set(modelType, family);
}

/** Layers of Qwen 2 and 3 may have a window; no public model of a size we run has one. */
function refuseWindows(config: JsonObject): void {
  const types = getStrings(config, "layer_types") ?? [];
  if (getBoolean(config, "use_sliding_window", { default: false }) || types.some((type) => type !== "full_attention"))
    throw new NibbleError(
      "unsupported_architecture",
      "config.json: expected full attention on all layers, got use_sliding_window or other layer_types",
    );
}

/** Gemma 3 (transformers, gemma3/configuration_gemma3.py): windows, two RoPE bases, softcaps. */
function addGemma3Facts(config: JsonObject, put: Put, layers: number): void {
  if (getBoolean(config, "use_bidirectional_attention", { default: false }))
    throw new NibbleError("unsupported_architecture", "config.json: expected use_bidirectional_attention false");
  put("{a}.attention.sliding_window", getNumber(config, "sliding_window", { default: 4096, integer: true, min: 1 }));
  const sliding = slidingLayers(config, layers);
  // llama.cpp's converter has no key for the usual pattern.
  if (sliding.some((local, i) => local !== ((i + 1) % 6 !== 0))) put("{a}.attention.sliding_window_pattern", sliding);
  const parameters = config.get("rope_parameters");
  const nested = isObject(parameters) ? parameters.get("sliding_attention") : undefined;
  const base = getNumber(config, "rope_local_base_freq", { default: 10_000, min: 1 });
  put(
    "{a}.rope.freq_base_swa",
    Math.fround(isObject(nested) ? getNumber(nested, "rope_theta", { default: base, min: 1 }) : base),
  );
  // The reference takes the square root in double precision, too.
  const scalar = getNumber(config, "query_pre_attn_scalar", { default: 256, min: 2 ** -20, max: 2 ** 31 });
  put("{a}.attention.scale", Math.fround(1 / Math.sqrt(scalar)));
  for (const name of ["attn_logit_softcapping", "final_logit_softcapping"]) {
    const cap = getNumber(config, name, { default: 0, min: 0, max: 2 ** 20 });
    if (cap > 0) put(`{a}.${name}`, Math.fround(cap));
  }
}

function slidingLayers(config: JsonObject, layers: number): boolean[] {
  const types = getStrings(config, "layer_types");
  if (!types) {
    const older = getNumber(config, "_sliding_window_pattern", { default: 6, integer: true, min: 1 });
    const n = getNumber(config, "sliding_window_pattern", { default: older, integer: true, min: 1 });
    return Array.from({ length: layers }, (_, i) => (i + 1) % n !== 0);
  }
  if (types.length !== layers)
    throw new NibbleError("bad_value", `config.json layer_types: expected ${layers} entries, got ${types.length}`);
  return types.map((type) => {
    if (type === "sliding_attention") return true;
    if (type === "full_attention") return false;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: expected full_attention or sliding_attention, got ${type}`,
    );
  });
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
  put("nibble.attention.temperature_scale", getNumber(config, "attn_scale", { default: 0.1, min: 0, max: 1 }));
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
