/**
 * The keys `{architecture}.*` of a checkpoint that no architecture reads: those that change nothing, and those that are
 * refused unless they ask for what is done anyway. Everything else is refused as unknown (`refuseUnread`).
 * @module
 */
import type { UnsupportedField } from "../base/field-table.ts";
import type { Checkpoint, MetadataValue } from "../formats/checkpoint.ts";
import { RecordedValues, refuseUnread } from "../formats/read-keys.ts";
import type { Architecture, ModelConfig } from "./decoder.ts";

/** Keys that change nothing, whatever their value is. */
const UNUSED: ReadonlySet<string> = new Set([
  "vocab_size", // the rows of token_embd.weight
  "pooling_type", // src/load/embedding-facts.ts reads it, and the labels of a reranker's results
  "classifier.output_labels",
  "tensor_data_layout",
  "rope.dimension_sections", // for images; a text has the same position in each section
  // Parameters of the scaling that another `rope.scaling.type` has.
  ...["rope.scaling.finetuned", "rope.scaling.original_context_length", "rope.scaling.factor"],
  ...["ext_factor", "attn_factor", "beta_fast", "beta_slow", "log_multiplier"].map((key) => `rope.scaling.yarn_${key}`),
  // Facts about experts, which matter only where `expert_count` is not 0.
  ...["expert_used_count", "expert_feed_forward_length", "interleave_moe_layer_step", "expert_weights_scale"],
  ...["expert_shared_count", "expert_shared_feed_forward_length", "expert_weights_norm", "expert_gating_func"],
]);

const only = (values: readonly unknown[], instead: string): UnsupportedField => ({
  instead,
  neutral: (value) => values.includes(value),
});

const one = (what: string): UnsupportedField => only([1, 0], `this architecture does not scale ${what}`);

/** Keys that some architecture has, and the values that ask for what every other architecture does. */
const UNSUPPORTED: Readonly<Record<string, UnsupportedField>> = {
  "attention.causal": only([true], "attention of this architecture is causal"),
  "attention.clamp_kqv": only([0], "keys, queries and values are not clamped"),
  "attention.max_alibi_bias": only([0], "this architecture has RoPE"),
  "attention.temperature_scale": one("scores by position"),
  expert_count: only([0], "models without a mixture of experts are"),
  leading_dense_block_count: only([0], "models without a mixture of experts are"),
  nextn_predict_layers: only([0], "models without layers for further tokens are"),
  embedding_scale: one("embeddings"),
  residual_scale: one("branches"),
  logit_scale: one("logits"),
};

/** A window as long as the context changes nothing, and 0 stands for none. */
const windowOf = (context: unknown): UnsupportedField => ({
  instead: "every layer of this architecture attends to all tokens",
  neutral: (value) => value === 0 || Number(value) >= Number(context),
});

/**
 * Reads the hyper-parameters, and applies the rule of keys to what was not read.
 * @throws NibbleError as `Architecture.readConfig`; `unsupported_architecture` for a key that could change the result
 */
export async function readAllKeys<Config extends ModelConfig>(
  architecture: Architecture<Config>,
  checkpoint: Checkpoint,
): Promise<Config> {
  const prefix = `${checkpoint.architecture}.`;
  const metadata = new RecordedValues<MetadataValue>(checkpoint.metadata, (key) => key.startsWith(prefix));
  const config = await architecture.readConfig({ ...checkpoint, metadata });
  const own = new Set(architecture.unusedKeys);
  const unsupported = {
    ...UNSUPPORTED,
    "attention.sliding_window": windowOf(checkpoint.metadata.get(`${prefix}context_length`)),
  };
  refuseUnread(metadata, {
    file: "",
    subject: `architecture ${checkpoint.architecture}`,
    isUnused: (key) => own.has(key.slice(prefix.length)) || UNUSED.has(key.slice(prefix.length)),
    unsupported: Object.fromEntries(Object.entries(unsupported).map(([key, field]) => [prefix + key, field])),
  });
  return config;
}
