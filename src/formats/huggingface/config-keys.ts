/**
 * Keys of config.json that no code reads: those that change nothing, and those that are refused unless they ask for what is
 * done anyway. Everything else is refused as unknown (`refuseUnread`).
 * @module
 */
import type { UnsupportedField } from "../../base/field-table.ts";
import { isObject } from "../../base/json.ts";
import { type RecordedValues, refuseUnread } from "../read-keys.ts";
import type { Family } from "./family.ts";

/** Names of keys that change nothing at inference, whatever their value is. */
const UNUSED: ReadonlySet<string> = new Set([
  // Bookkeeping of transformers and of the tools that write its files.
  ...["architectures", "auto_map", "cache_implementation", "chunk_size_feed_forward", "custom_pipelines", "dtype"],
  ...["finetuning_task", "framework", "is_decoder", "is_llama_config", "license", "max_seq_length"],
  ...["model_max_length", "model_name", "name", "name_or_path", "prefix", "problem_type", "return_dict"],
  ...[
    "return_dict_in_generate",
    "task_specific_params",
    "tf_legacy_loss",
    "torch_dtype",
    "torchscript",
    "use_bfloat16",
  ],
  ...["transformers.js_config", "transformers_version", "unsloth_fixed", "unsloth_version", "use_cache", "vocab_size"],
  ...["compression_config", "quantization", "quantization_config"], // quantized.ts refuses them
  ...["adapters", "base_model_name_or_path", "for_llm_compressor", "tokenizer_class", "use_return_dict"],
  // Ways to compute the same.
  ...["attn_implementation", "pretraining_tp", "use_fused_rms_norm", "use_kernel_forward_from_hub", "use_mrope"],
  // Settings of generation, which generation_config.json replaces.
  ...["bad_words_ids", "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size"],
  ...["exponential_decay_length_penalty", "length_penalty", "max_length", "max_new_tokens", "min_length"],
  ...["no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "remove_invalid_values"],
  ...["repetition_penalty", "begin_suppress_tokens", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p"],
  // Parameters of RoPE for the scaling that another rope_type has, or for images.
  ...["attention_factor", "beta_fast", "beta_slow", "factor", "finetuned", "high_freq_factor", "long_factor"].map(rope),
  ...["low_freq_factor", "mrope_interleaved", "mrope_section", "mscale", "mscale_all_dim"].map(rope),
  ...["original_max_position_embeddings", "short_factor", "truncate"].map(rope),
]);

/** A key inside of rope_parameters or rope_scaling, which are one in `isUnused`. */
function rope(key: string): string {
  return `rope_parameters.${key}`;
}

/** Names of settings of training, of tokens, of labels and of transformers' private state. */
const UNUSED_FORM: RegExp =
  /^_|^output_|dropout|_pdrop$|^layerdrop$|_loss(_|$)|jitter|initiali[sz]er|^init_|_init(_|$)|^gradient_|flash_attn|_token_(id|index)s?$|label|_version$/;

const neutralIf = (neutral: UnsupportedField["neutral"], instead: string): UnsupportedField => ({
  instead,
  ...(neutral && { neutral }),
});
const only = (values: readonly unknown[], instead: string): UnsupportedField =>
  neutralIf((value) => values.includes(value), instead);

const noExperts = only([0, 1], "models without a mixture of experts are");

/** Keys that some family has, and the values that ask for what every other family does. */
const UNSUPPORTED: Readonly<Record<string, UnsupportedField>> = {
  is_causal: only([true], "attention of this model_type is causal"),
  use_bidirectional_attention: only([false], "attention of this model_type is causal"),
  layer_types: neutralIf(
    (value) => Array.isArray(value) && value.every((type) => type === "full_attention"),
    "every layer of this model_type has full_attention",
  ),
  sliding_window: neutralIf(
    // Without `use_sliding_window` no layer has a window.
    (value, fields) =>
      fields.get("use_sliding_window") === false || Number(value) >= Number(fields.get("max_position_embeddings")),
    "every layer of this model_type attends to all tokens",
  ),
  max_window_layers: neutralIf(
    (_, fields) => fields.get("use_sliding_window") !== true,
    "every layer of this model_type attends to all tokens",
  ),
  hidden_activation: only(["silu"], "this model_type has hidden_act"),
  rope_parameters: neutralIf(
    // Beside rope_scaling nothing of it counts, not even the base.
    (value, fields) => isObject(value) && [undefined, ropeBase(fields)].includes(value.get("rope_theta")),
    "it counts beside rope_scaling only if both have the same base",
  ),
  position_embedding_type: only(["rope", "rotary", "absolute"], "this model_type has rope"),
  is_encoder_decoder: only([false], "decoders alone are"),
  rope_interleaved: only([false], "RoPE of this model_type rotates the halves of a head"),
  tie_encoder_decoder: only([false], "decoders alone are"),
  embedding_multiplier: only([1], "this model_type does not scale embeddings"),
  residual_multiplier: only([1], "this model_type does not scale branches"),
  logits_scaling: only([1], "this model_type does not scale logits"),
  logit_scale: only([1], "this model_type does not scale logits"),
  num_experts: noExperts,
  num_local_experts: noExperts,
  n_routed_experts: noExperts,
  num_experts_per_tok: noExperts,
};

/**
 * Applies the rule of keys to a config.json that has been read.
 * @throws NibbleError `unsupported_architecture`
 */
export function refuseUnreadConfig(config: RecordedValues<unknown>, modelType: string, family: Family): void {
  const own = new Set(family.unusedKeys);
  refuseUnread(config, {
    file: "config.json ",
    subject: `model_type ${modelType}`,
    isUnused: (key) => own.has(key) || isUnusedKey(key),
    unsupported: UNSUPPORTED,
  });
}

/** Whether a key changes nothing in any family, whatever its value is. */
export function isUnusedKey(key: string): boolean {
  return UNUSED.has(ropeKey(key)) || UNUSED_FORM.test(key);
}

/** The base of RoPE where `rope_scaling` counts. */
function ropeBase(config: ReadonlyMap<string, unknown>): unknown {
  const scaling = config.get("rope_scaling");
  return (isObject(scaling) ? scaling.get("rope_theta") : undefined) ?? config.get("rope_theta");
}

/** `rope_scaling.full_attention.factor` and the like to `rope_parameters.factor`. */
function ropeKey(key: string): string {
  return key.replace(/^rope_(scaling|parameters)\.((full|sliding)_attention\.)?/, "rope_parameters.");
}
