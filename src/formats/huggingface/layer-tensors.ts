/**
 * Names of the tensors of a layer, in `model.layers.N.` of transformers and in `blk.N.` of GGUF, for `Family.layerTensors`.
 * @module
 */

export const attentionTensors = [
  ["input_layernorm", "attn_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
] as const;

export const feedForwardTensors = (prefix: string): (readonly [string, string])[] => [
  [`${prefix}.gate_proj`, "ffn_gate"],
  [`${prefix}.up_proj`, "ffn_up"],
  [`${prefix}.down_proj`, "ffn_down"],
];

/** Names of the tensors in Llama's layers, which most families share, for `Family.layerTensors`. */
export const llamaLayerTensors: ReadonlyMap<string, string> = new Map([
  ...attentionTensors,
  ["post_attention_layernorm", "ffn_norm"],
  ...feedForwardTensors("mlp"),
]);

export const queryKeyNorms = [
  ["self_attn.q_norm", "attn_q_norm"],
  ["self_attn.k_norm", "attn_k_norm"],
] as const;

export const postNorms = [
  ["post_attention_layernorm", "post_attention_norm"],
  ["post_feedforward_layernorm", "post_ffw_norm"],
] as const;

/** Names of the tensors in OLMo's layers, whose norms follow attention and feed-forward. */
export const olmoLayerTensors: ReadonlyMap<string, string> = new Map([
  ...attentionTensors.slice(1),
  ...queryKeyNorms,
  ...postNorms,
  ...feedForwardTensors("mlp"),
]);
