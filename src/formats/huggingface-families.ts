/**
 * The model families of transformers that we run: one table entry each.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { getBoolean, getNumber, getNumbers, getStrings } from "./metadata.ts";
import type { JsonObject, MetadataValue } from "./types.ts";

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

export const families: ReadonlyMap<string, Family> = new Map<string, Family>([
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
