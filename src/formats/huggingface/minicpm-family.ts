/**
 * config.json of MiniCPM 1, 2 and 4 (OpenBMB, configuration_minicpm.py of the published models).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getFloat, getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors } from "./layer-tensors.ts";

function addFacts(config: JsonObject, put: Put, layers: number): void {
  if ((config.get("sparse_config") ?? null) !== null)
    throw new NibbleError(
      "unsupported_architecture",
      "config.json: sparse_config is not supported; models that attend to all tokens are",
    );
  const depth = getNumber(config, "scale_depth", { default: 1, min: 2 ** -20, max: 2 ** 20 });
  const base = getNumber(config, "dim_model_base", { default: 1, min: 1, max: 2 ** 20 });
  put("{a}.embedding_scale", getFloat(config, "scale_emb", { default: 1, min: 2 ** -20 }));
  put("{a}.residual_scale", Math.fround(depth / Math.sqrt(layers)));
  put("{a}.logit_scale", Math.fround(getNumber(config, "hidden_size") / base));
}

export const minicpmFamily: Family = {
  architecture: "minicpm",
  layerTensors: llamaLayerTensors,
  defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: true, max_position_embeddings: 2048 },
  feedForward: "intermediate_size",
  unusedKeys: ["mup_denominator", "num_nextn_predict_layers"], // for training, and for the model that drafts
  addFacts,
};
