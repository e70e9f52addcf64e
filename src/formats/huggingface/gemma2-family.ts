/**
 * config.json of Gemma 2 (transformers, models/gemma2/configuration_gemma2.py).
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { attentionTensors, feedForwardTensors, postNorms } from "./layer-tensors.ts";
import { allButEvery, putWindows, slidingLayers, windowSize } from "./windows-config.ts";

const CONTEXT = 8192;

function addFacts(config: JsonObject, put: Put, layers: number): void {
  const usual = allButEvery(2);
  putWindows(put, windowSize(config, 4096, CONTEXT), slidingLayers(config, layers, usual), usual);
  const scalar = getNumber(config, "query_pre_attn_scalar", { default: 256, min: 2 ** -20, max: 2 ** 31 });
  put("{a}.attention.scale", Math.fround(1 / Math.sqrt(scalar)));
  // A null switches a softcap off. Readers of a GGUF take the usual one for a missing key, so it gets a 0.
  for (const [key, usualCap] of [
    ["attn_logit_softcapping", 50],
    ["final_logit_softcapping", 30],
  ] as const) {
    const off = config.get(key) === null;
    put(`{a}.${key}`, Math.fround(off ? 0 : getNumber(config, key, { default: usualCap, min: 0, max: 2 ** 20 })));
  }
}

export const gemma2Family: Family = {
  architecture: "gemma2",
  layerTensors: new Map([
    ...attentionTensors,
    ...postNorms,
    ["pre_feedforward_layernorm", "ffn_norm"],
    ...feedForwardTensors("mlp"),
  ]),
  defaults: {
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    tie_word_embeddings: true,
    max_position_embeddings: CONTEXT,
    head_dim: 256,
    num_key_value_heads: 4,
  },
  feedForward: "intermediate_size",
  activation: { key: "hidden_activation", name: "gelu_pytorch_tanh" },
  normsAddOne: true,
  unusedKeys: ["hidden_act"], // transformers reads hidden_activation
  addFacts,
};
