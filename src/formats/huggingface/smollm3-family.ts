/**
 * config.json of SmolLM3 (transformers, models/smollm3/configuration_smollm3.py).
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import { getBoolean } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors } from "./layer-tensors.ts";
import { ropeLayers } from "./rope-config.ts";
import { putWindows, slidingLayers, windowSize } from "./windows-config.ts";

const defaults = {
  rms_norm_eps: 1e-6,
  rope_theta: 2_000_000,
  tie_word_embeddings: true,
  max_position_embeddings: 32_768,
  num_key_value_heads: 4,
};

function addFacts(config: JsonObject, put: Put, layers: number): void {
  const useRope = ropeLayers(config, layers);
  // A GGUF has no key for the usual pattern.
  if (useRope.some((rope, i) => rope !== ((i + 1) % 4 !== 0))) put("nibble.use_rope", useRope);
  const windowed = getBoolean(config, "use_sliding_window", { default: false });
  const size = windowSize(config, 0, defaults.max_position_embeddings);
  // Where config.json does not say, the layers without RoPE have the window.
  const sliding = slidingLayers(config, layers, (i) => windowed && size > 0 && !useRope[i]);
  putWindows(put, windowed ? size : 0, sliding, () => true);
}

export const smollm3Family: Family = {
  architecture: "smollm3",
  layerTensors: llamaLayerTensors,
  defaults,
  feedForward: "intermediate_size",
  unusedKeys: ["max_window_layers"],
  addFacts,
};
