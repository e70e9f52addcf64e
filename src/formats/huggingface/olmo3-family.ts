/**
 * config.json of OLMo 3 (transformers, models/olmo3/configuration_olmo3.py). In a GGUF it is `olmo2` with windows.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getFloat } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { olmoLayerTensors } from "./layer-tensors.ts";
import { ropeParameters, ropeType } from "./rope-config.ts";
import { allButEvery, putWindows, slidingLayers, windowSize } from "./windows-config.ts";

const CONTEXT = 2048;
const THETA = 500_000;

/** Layers with a window have RoPE without scaling. In the older spelling, `rope_theta` is the base of the others only. */
function addFacts(config: JsonObject, put: Put, layers: number): void {
  const usual = allButEvery(4);
  putWindows(put, windowSize(config, 4096, CONTEXT), slidingLayers(config, layers, usual), usual);
  const local = ropeParameters(config, olmo3Family, "sliding_attention");
  if (ropeType(local) !== "default")
    throw new NibbleError(
      "unsupported_architecture",
      `config.json rope_parameters.sliding_attention.rope_type: ${ropeType(local)} is not supported; default is`,
    );
  put("{a}.rope.freq_base_swa", getFloat(local, "rope_theta", { default: THETA, min: 1 }));
}

export const olmo3Family: Family = {
  architecture: "olmo2",
  layerTensors: olmoLayerTensors,
  defaults: { rms_norm_eps: 1e-5, rope_theta: THETA, tie_word_embeddings: false, max_position_embeddings: CONTEXT },
  feedForward: "intermediate_size",
  ropeByLayerType: true,
  addFacts,
};
