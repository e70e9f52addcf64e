/**
 * Keys of SentencePiece's unigram model, such as XLM-RoBERTa's.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { components } from "../../src/tokenizer/huggingface-json.ts";
import { base64 } from "../../src/tokenizer/huggingface-pipeline.ts";
import { field, list } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { tokenType } from "./scores.ts";
import { spacePrefix } from "./sentencepiece-keys.ts";

/**
 * The keys of the kind. It changes the types of byte tokens in `types`.
 * @param tokens by id
 */
export function unigramKeys(tokenizer: JsonObject, tokens: readonly string[], types: Int32Array): KindKeys {
  const model = tokenizer.get("model");
  const scores = new Float32Array(tokens.length);
  for (const [id, pair] of list(field(model, "vocab")).entries()) scores[id] = Number(list(pair)[1] ?? 0);
  const hasBytes = field(model, "byte_fallback") === true;
  for (const [id, token] of tokens.entries())
    if (hasBytes && /^<0x[0-9A-F]{2}>$/.test(token)) types[id] = tokenType.byte;
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
      ...(prefix === "first"
        ? ["GGUF puts a space in front of every part of a text, but this tokenizer only in front of the first"]
        : []),
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
