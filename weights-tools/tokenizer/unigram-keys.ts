/**
 * Keys of SentencePiece's unigram model, such as XLM-RoBERTa's.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { components } from "../../src/tokenizer/huggingface-json.ts";
import { base64 } from "../../src/tokenizer/huggingface-pipeline.ts";
import { field } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { FIRST_PREFIX, markBytes, spacePrefix } from "./sentencepiece-keys.ts";

/** The vocabulary by id. Its types of byte tokens are changed. */
interface ScoredTokens {
  readonly tokens: readonly string[];
  readonly types: Int32Array;
  /** Of the model's own tokens, which come first. */
  readonly scores: Float64Array;
}

/** The keys of the kind. */
export function unigramKeys(tokenizer: JsonObject, { tokens, types, scores: own }: ScoredTokens): KindKeys {
  const scores = new Float32Array(tokens.length);
  scores.set(own);
  if (field(tokenizer.get("model"), "byte_fallback") === true) markBytes(tokens, types);
  const steps = components(tokenizer.get("normalizer") ?? null, "normalizers");
  const map = steps.find((step) => step.get("type") === "Precompiled")?.get("precompiled_charsmap");
  const prefix = spacePrefix(tokenizer);
  const spaces = spacesOf(tokenizer, steps);
  return {
    metadata: [
      ["tokenizer.ggml.model", "t5"],
      ["tokenizer.ggml.pre", "default"],
      ["tokenizer.ggml.scores", scores],
      ["tokenizer.ggml.add_space_prefix", prefix !== "never"],
      ["tokenizer.ggml.remove_extra_whitespaces", spaces === "removed"],
      ...(typeof map === "string"
        ? [["tokenizer.ggml.precompiled_charsmap", base64(map)] as readonly [string, MetadataValue]]
        : []),
    ],
    notes: [
      ...(prefix === "first" ? [FIRST_PREFIX] : []),
      ...(spaces === "some removed" ? ["the tokenizer removes only some of the spaces that are too many"] : []),
      ...(steps.some((step) => step.get("type") === "NFC") ? ["the tokenizer normalises to NFC"] : []),
    ],
  };
}

/** Which spaces the tokenizer removes of those that repeat or stand at an end. */
function spacesOf(tokenizer: JsonObject, steps: readonly JsonObject[]): "removed" | "some removed" | "kept" {
  const stages = components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers");
  if (stages[0]?.get("type") === "WhitespaceSplit") return "removed";
  const replaces = steps.some((step) => field(step.get("pattern"), "Regex") !== undefined);
  const strips = steps.filter((step) => step.get("type") === "Strip").map((step): Json => step.get("strip_right")!);
  if (!replaces && strips.length === 0) return "kept";
  return replaces && strips.includes(true) ? "removed" : "some removed";
}
