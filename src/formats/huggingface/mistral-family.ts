/**
 * config.json of Mistral and Ministral 3 (transformers, models/mistral/configuration_mistral.py and
 * models/ministral3/configuration_ministral3.py). Every layer has the sliding window.
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { getFloat } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors } from "./layer-tensors.ts";
import { ropeParameters } from "./rope-config.ts";
import { putWindows, slidingLayers, windowSize } from "./windows-config.ts";

const CONTEXT = { mistral: 131_072, ministral3: 262_144 };

const everyLayer = (): boolean => true;

export const mistralFamily: Family = {
  architecture: "llama",
  layerTensors: llamaLayerTensors,
  defaults: {
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    max_position_embeddings: CONTEXT.mistral,
    num_key_value_heads: 8,
  },
  feedForward: "intermediate_size",
  addFacts(config, put, layers) {
    const sliding = slidingLayers(config, layers, everyLayer);
    putWindows(put, windowSize(config, 4096, CONTEXT.mistral), sliding, everyLayer);
  },
};

/** Queries grow beyond the original context of YaRN, whose length `addRope` adds. */
function addMinistralFacts(config: JsonObject, put: Put, layers: number): void {
  const beta = getFloat(ropeParameters(config, ministralFamily), "llama_4_scaling_beta", { default: 0, min: 0 });
  if (beta > 0) put("{a}.attention.temperature_scale", beta);
  putWindows(put, windowSize(config, 0, CONTEXT.ministral3), slidingLayers(config, layers, everyLayer), everyLayer);
}

export const ministralFamily: Family = {
  architecture: "mistral3",
  layerTensors: llamaLayerTensors,
  defaults: {
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    max_position_embeddings: CONTEXT.ministral3,
    head_dim: 128,
    num_key_value_heads: 8,
  },
  feedForward: "intermediate_size",
  ropeDefaults: new Map<string, string | number>([
    ["rope_type", "yarn"],
    ["rope_theta", 1_000_000],
    ["factor", 16],
    ["original_max_position_embeddings", 16_384],
    ["beta_fast", 32],
    ["beta_slow", 1],
    ["mscale", 1],
    ["mscale_all_dim", 1],
    ["llama_4_scaling_beta", 0.1],
  ]),
  unusedKeys: ["rope_parameters.max_position_embeddings", "rope_scaling.max_position_embeddings"],
  addFacts: addMinistralFacts,
};
