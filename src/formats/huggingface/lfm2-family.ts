/**
 * config.json of LFM2 (transformers, models/lfm2/configuration_lfm2.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getBoolean, getNumber, getNumbers, getStrings } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";

const KV_HEADS = 8;
const FFN = 12_288;

/** A whole number from 1; `fallback` if the key is missing. */
const count = (config: JsonObject, key: string, fallback: number): number =>
  getNumber(config, key, { default: fallback, integer: true, min: 1, max: 2 ** 31 - 1 });

function addFacts(config: JsonObject, put: Put, layers: number): void {
  const kvHeads = count(config, "num_key_value_heads", KV_HEADS);
  put(
    "{a}.attention.head_count_kv",
    Uint32Array.from(attentionLayers(config, layers), (attention) => (attention ? kvHeads : 0)),
  );
  put("{a}.shortconv.l_cache", count(config, "conv_L_cache", 3));
  put("{a}.feed_forward_length", feedForwardWidth(config));
}

/** Which layers have attention. `full_attn_idxs` is the older spelling; without both, all layers have. */
function attentionLayers(config: JsonObject, layers: number): boolean[] {
  const listed = getNumbers(config, "full_attn_idxs");
  const types = getStrings(config, "layer_types");
  if (!types) return Array.from({ length: layers }, (_, i) => !listed || Array.from(listed).includes(i));
  if (types.length !== layers)
    throw new NibbleError("bad_value", `config.json layer_types: expected ${layers} entries, got ${types.length}`);
  return types.map((type) => {
    if (type === "full_attention") return true;
    if (type === "conv") return false;
    throw new NibbleError(
      "unsupported_architecture",
      `config.json layer_types: ${type} is not supported; full_attention and conv are`,
    );
  });
}

/** The real width: two thirds of the key's, times a factor, rounded up to a multiple. `block_ff_dim` is an older name. */
function feedForwardWidth(config: JsonObject): number {
  const given = count(config, "block_ff_dim", count(config, "intermediate_size", FFN));
  const multiple = count(config, "block_multiple_of", 256);
  const factor = config.get("block_ffn_dim_multiplier");
  const multiplier = factor === null ? 1 : getNumber(config, "block_ffn_dim_multiplier", { default: 1, min: 2 ** -20 });
  if (!getBoolean(config, "block_auto_adjust_ff_dim", { default: true })) return given;
  const reduced = Math.floor((2 * given) / 3);
  if (factor === null) return reduced;
  return multiple * Math.ceil(Math.floor(multiplier * reduced) / multiple);
}

export const lfm2Family: Family = {
  architecture: "lfm2",
  modelTensors: new Map([["embedding_norm.weight", "token_embd_norm.weight"]]),
  layerTensors: new Map([
    ["operator_norm", "attn_norm"],
    ["self_attn.q_proj", "attn_q"],
    ["self_attn.k_proj", "attn_k"],
    ["self_attn.v_proj", "attn_v"],
    ["self_attn.out_proj", "attn_output"],
    ["self_attn.q_layernorm", "attn_q_norm"],
    ["self_attn.k_layernorm", "attn_k_norm"],
    ["conv.in_proj", "shortconv.in_proj"],
    ["conv.conv", "shortconv.conv"],
    ["conv.out_proj", "shortconv.out_proj"],
    ["ffn_norm", "ffn_norm"],
    ["feed_forward.w1", "ffn_gate"],
    ["feed_forward.w3", "ffn_up"],
    ["feed_forward.w2", "ffn_down"],
  ]),
  defaults: {
    rms_norm_eps: 1e-5,
    rope_theta: 1_000_000,
    tie_word_embeddings: true,
    max_position_embeddings: 128_000,
    num_attention_heads: 32,
    vocab_size: 65_536,
    num_key_value_heads: KV_HEADS,
    feed_forward: FFN,
  },
  feedForward: "intermediate_size",
  epsilon: "norm_eps",
  tiedKey: "tie_embedding",
  biasKeys: { convolution: "conv_bias" },
  // transformers' class reads none of them; LFM2's published files repeat other keys in them.
  unusedKeys: [
    ...["block_dim", "block_mlp_init_scale", "block_norm_eps", "block_use_swiglu", "block_use_xavier_init"],
    ...["conv_dim", "conv_dim_out", "conv_use_xavier_init", "num_heads", "theta", "use_pos_enc"],
  ],
  addFacts,
};
