/**
 * config.json of BERT and the names of its tensors (transformers, models/bert/configuration_bert.py, modeling_bert.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import { getBoolean, getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";

export const bertFamily: Family = {
  architecture: "bert",
  prefix: "bert.",
  layers: "encoder.layer.",
  layerTensors: new Map([
    ["attention.self.query", "attn_q"],
    ["attention.self.key", "attn_k"],
    ["attention.self.value", "attn_v"],
    ["attention.output.dense", "attn_output"],
    ["attention.output.LayerNorm", "attn_output_norm"],
    ["intermediate.dense", "ffn_up"],
    ["output.dense", "ffn_down"],
    ["output.LayerNorm", "layer_output_norm"],
  ]),
  modelTensors: new Map([
    ["embeddings.word_embeddings.weight", "token_embd.weight"],
    ["embeddings.position_embeddings.weight", "position_embd.weight"],
    ["embeddings.token_type_embeddings.weight", "token_types.weight"],
    ["embeddings.LayerNorm.weight", "token_embd_norm.weight"],
    ["embeddings.LayerNorm.bias", "token_embd_norm.bias"],
    ["pooler.dense.weight", "cls.weight"],
    ["pooler.dense.bias", "cls.bias"],
    ["classifier.weight", "cls.output.weight"],
    ["classifier.bias", "cls.output.bias"],
  ]),
  // Positions are numbered from 0 anyway; the heads of the pre-training make no embeddings.
  unusedTensors: /^embeddings\.position_ids$|^cls\.(predictions|seq_relationship)\./,
  biased: ["attn_q", "attn_k", "attn_v", "attn_output", "attn_output_norm", "ffn_up", "ffn_down"],
  defaults: { rms_norm_eps: 1e-12, rope_theta: 10_000, tie_word_embeddings: true, max_position_embeddings: 512 },
  feedForward: "intermediate_size",
  activation: { key: "hidden_act", name: "gelu" },
  isEncoder: true,
  unusedKeys: [
    ...["directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers"],
    ...["pooler_size_per_head", "pooler_type", "sentence_transformers.version"],
  ],
  addFacts: addBertFacts,
};

function addBertFacts(config: JsonObject, put: Put): void {
  if (getBoolean(config, "is_decoder", { default: false }))
    throw new NibbleError(
      "unsupported_architecture",
      "config.json is_decoder: true is not supported; BERT is an encoder",
    );
  put("tokenizer.ggml.token_type_count", getNumber(config, "type_vocab_size", { default: 2, integer: true, min: 1 }));
  const sentence = config.get("sentence_transformers");
  const activation =
    (isObject(sentence) ? sentence.get("activation_fn") : undefined) ??
    config.get("sbert_ce_default_activation_function");
  if (typeof activation === "string" && activation.endsWith(".Sigmoid")) put("nibble.rank.score", "sigmoid");
}
