/**
 * config.json of Hunyuan, dense (transformers, models/hunyuan_v1_dense/configuration_hunyuan_v1_dense.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { stretchBase } from "../rope-scaling.ts";
import { getBoolean, getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors } from "./layer-tensors.ts";
import { headSize, ropeBase, ropeParameters, ropeType } from "./rope-config.ts";

/** "Dynamic" scaling with an alpha stretches the base of RoPE by a fixed factor, which is the base that a GGUF has. */
function addFacts(config: JsonObject, put: Put): void {
  for (const [key, expected] of [
    ["use_qk_norm", true],
    ["use_rotary_pos_emb", true],
    ["use_cla", false],
  ] as const)
    if (getBoolean(config, key, { default: expected }) !== expected)
      throw new NibbleError("unsupported_architecture", `config.json ${key}: ${!expected} is not supported`);
  const parameters = ropeParameters(config, hunyuanFamily);
  const alpha = getNumber(parameters, "alpha", { default: 0, min: 0, max: 2 ** 20 });
  if (ropeType(parameters) !== "dynamic" || alpha === 0) return;
  const base = stretchBase(ropeBase(config, hunyuanFamily), headSize(config, hunyuanFamily), alpha);
  put("{a}.rope.freq_base", Math.fround(base));
}

export const hunyuanFamily: Family = {
  architecture: "hunyuan-dense",
  layerTensors: new Map([
    ...llamaLayerTensors,
    ["self_attn.query_layernorm", "attn_q_norm"],
    ["self_attn.key_layernorm", "attn_k_norm"],
  ]),
  defaults: { rms_norm_eps: 1e-5, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
  feedForward: "intermediate_size",
  // Those of Tencent's other models: images, classes, layers that share keys and values (`use_cla`).
  unusedKeys: [
    ...["add_classification_head", "anyres_pooling_size", "anyres_vit_max_image_size", "attention_head_dim"],
    ...["cla_share_factor", "class_num", "dense_list", "im_end_id", "norm_type", "org_vocab_size", "pad_id"],
    ...["pool_type"],
  ],
  addFacts,
};
