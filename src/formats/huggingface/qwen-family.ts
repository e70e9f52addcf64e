/**
 * config.json of Qwen 2 and 3 without experts (transformers, models/qwen2/configuration_qwen2.py and
 * models/qwen3/configuration_qwen3.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getBoolean, getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { llamaLayerTensors, queryKeyNorms } from "./layer-tensors.ts";
import { putWindows, slidingLayers, windowSize } from "./windows-config.ts";

const defaults = {
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  max_position_embeddings: 32_768,
  num_key_value_heads: 32,
};

/**
 * With `use_sliding_window`, the layers from `max_window_layers` on have the window, unless `layer_types` names others.
 * @throws NibbleError `bad_type`, `bad_value`; `unsupported_architecture` for layers with a window whose size does not
 *   count, which transformers does not run either
 */
function addFacts(config: JsonObject, put: Put, layers: number): void {
  const used = getBoolean(config, "use_sliding_window", { default: false });
  const size = windowSize(config, used ? 4096 : 0, defaults.max_position_embeddings);
  const first = used ? getNumber(config, "max_window_layers", { default: 28, integer: true, min: 0 }) : layers;
  const sliding = slidingLayers(config, layers, (layer) => layer >= first);
  if (!used && size > 0 && sliding.includes(true))
    throw new NibbleError(
      "unsupported_architecture",
      "config.json layer_types: sliding_attention is not supported without use_sliding_window",
    );
  putWindows(put, size, sliding, () => false);
}

export const qwen2Family: Family = {
  architecture: "qwen2",
  mayBeBidirectional: true,
  layerTensors: llamaLayerTensors,
  biased: ["attn_q", "attn_k", "attn_v"],
  defaults,
  feedForward: "intermediate_size",
  addFacts,
};

export const qwen3Family: Family = {
  architecture: "qwen3",
  mayBeBidirectional: true,
  layerTensors: new Map([...llamaLayerTensors, ...queryKeyNorms]),
  defaults: { ...defaults, head_dim: 128 },
  feedForward: "intermediate_size",
  addFacts,
};
