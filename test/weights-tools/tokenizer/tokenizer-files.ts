/**
 * A small tokenizer.json with the files beside it, for tests that change some of its fields.
 * @module
 */
import { type JsonObject, parseJsonObject } from "../../../src/base/json.ts";
import type { HuggingFaceFiles } from "../../../src/formats/checkpoint.ts";

export type Plain = Record<string, unknown>;
export const json = (value: Plain): JsonObject => parseJsonObject(JSON.stringify(value));
export const byteLevel = { type: "ByteLevel", use_regex: true };

/** Two letters, one merge, one added token; `changes` replace whole fields of tokenizer.json. */
export function files(
  changes: Plain = {},
  config: Plain = {},
  tokenizerConfig: Plain | undefined = {},
): HuggingFaceFiles {
  const tokenizer = {
    model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] },
    pre_tokenizer: byteLevel,
    added_tokens: [{ id: 3, content: "<|eot_id|>", special: true }],
    ...changes,
  };
  return {
    tokenizer: json(tokenizer),
    config: json(config),
    tokenizerConfig: tokenizerConfig && json(tokenizerConfig),
    generationConfig: undefined,
    chatTemplates: new Map(),
  };
}
