/**
 * config.json of the first MobileLLM (Meta, configuration_mobilellm.py of the published models).
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { getBoolean } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors } from "./layer-tensors.ts";

/** With `layer_sharing` every layer runs twice before the next. */
function addFacts(config: JsonObject, put: Put): void {
  if (getBoolean(config, "layer_sharing", { default: false })) put("{a}.layer_repeat_count", 2);
}

export const mobilellmFamily: Family = {
  architecture: "mobilellm",
  layerTensors: llamaLayerTensors,
  defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 },
  feedForward: "intermediate_size",
  tiedKey: "share_embedding",
  addFacts,
};
