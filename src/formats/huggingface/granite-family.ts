/**
 * config.json of Granite 3 and of Granite 4 (transformers, models/granite/configuration_granite.py and
 * models/granitemoehybrid/configuration_granitemoehybrid.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getFloat, getNumber, getString, getStrings } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { attentionTensors, llamaLayerTensors } from "./layer-tensors.ts";

const defaults = { rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: false, max_position_embeddings: 2048 };

/** The factors. All are 1 where they are missing, that of the scores too. */
function addFactors(config: JsonObject, put: Put): void {
  put("{a}.embedding_scale", getFloat(config, "embedding_multiplier", { default: 1, min: 2 ** -20 }));
  put("{a}.residual_scale", getFloat(config, "residual_multiplier", { default: 1, min: 2 ** -20 }));
  put("{a}.attention.scale", getFloat(config, "attention_multiplier", { default: 1, min: 2 ** -20 }));
  put("{a}.logit_scale", getFloat(config, "logits_scaling", { default: 1, min: 2 ** -20 }));
}

export const graniteFamily: Family = {
  architecture: "granite",
  layerTensors: llamaLayerTensors,
  defaults,
  feedForward: "intermediate_size",
  addFacts: addFactors,
};

const refused = (what: string): NibbleError =>
  new NibbleError("unsupported_architecture", `config.json ${what}; dense models with attention in every layer are`);

/** Granite 4: only the small models, which have neither experts nor Mamba layers. */
function addHybridFacts(config: JsonObject, put: Put, layers: number): void {
  addFactors(config, put);
  const experts = getNumber(config, "num_local_experts", { default: 8 });
  if (experts > 0) throw refused(`num_local_experts: ${experts} is not supported`);
  const types = getStrings(config, "layer_types") ?? getStrings(config, "layers_block_type");
  const other = types?.find((type) => type !== "attention" && type !== "full_attention");
  if (!types || other) throw refused(`layer_types: ${other ?? "Mamba in every layer"} is not supported`);
  if (types.length !== layers)
    throw new NibbleError("bad_value", `config.json layer_types: expected ${layers} entries, got ${types.length}`);
  // Everything but "rope" means that there is no position embedding. This is llama.cpp's key for it.
  if (getString(config, "position_embedding_type", { default: "none" }) !== "rope")
    put("{a}.rope.scaling.finetuned", false);
}

export const graniteHybridFamily: Family = {
  architecture: "granite",
  layerTensors: new Map([
    ...attentionTensors,
    ["post_attention_layernorm", "ffn_norm"],
    ["shared_mlp.output_linear", "ffn_down"],
  ]),
  joinedTensors: new Map([["shared_mlp.input_linear", ["ffn_gate", "ffn_up"]]]),
  defaults,
  feedForward: "shared_intermediate_size",
  // Those of experts and Mamba layers, and the name of the norm that transformers has anyway.
  unusedKeys: [
    ...["intermediate_size", "normalization_function", "num_experts_per_tok", "time_step_limit"],
    ...["chunk_size", "conv_bias", "d_conv", "d_head", "d_state", "expand", "n_groups", "n_heads", "proj_bias"].map(
      (key) => `mamba_${key}`,
    ),
  ],
  addFacts: addHybridFacts,
};
