/**
 * The steps of a tokenizer.json as text, for the key `nibble.tokenizer.pipeline` (src/tokenizer/gguf-pipeline.ts).
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { AddedToken } from "../../src/tokenizer/added-tokens.ts";
import { components } from "../../src/tokenizer/huggingface-json.ts";
import { object } from "./json-fields.ts";

/** Parts of tokenizer.json that are not steps. */
const LEFT_OUT = new Set(["version", "truncation", "padding", "model", "added_tokens"]);

/** The pipeline's text. @param vocab ids of the model's own vocabulary */
export function pipelineText(tokenizer: JsonObject, vocab: JsonObject, added: readonly AddedToken[]): string {
  const model = object(tokenizer.get("model"), "model");
  const steps = [...tokenizer].filter(([key, value]) => !LEFT_OUT.has(key) && value !== null);
  const settings = [...model].filter(([key, value]) => key !== "vocab" && key !== "merges" && value !== null);
  return JSON.stringify({
    ...plain(new Map(steps)),
    model: plain(new Map(settings)),
    added_tokens: added.map(({ singleWord, ...token }) => ({
      ...token,
      single_word: singleWord === true,
      in_vocab: vocab.has(token.content),
    })),
  });
}

/** Parsed JSON with objects in place of maps, for JSON.stringify. */
function plain(value: JsonObject): Record<string, unknown>;
function plain(value: Json): unknown;
function plain(value: Json): unknown {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => plain(item));
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...(value as JsonObject)].map(([key, item]) => [key, plain(item)]));
}

/** Flags of added tokens that GGUF has no key for, as a note; undefined if no token needs one. */
export function flagNote(tokenizer: JsonObject, added: readonly AddedToken[]): string | undefined {
  // NFC leaves ASCII as it is.
  const types = components(tokenizer.get("normalizer") ?? null, "normalizers").map((part) => part.get("type"));
  const changes = (text: string): boolean =>
    types.some((type) => type !== "NFC") || (types.length > 0 && /[^\0-\x7f]/.test(text));
  const flagged = added.filter(
    (token) => token.lstrip || token.rstrip || token.singleWord || (token.normalized && changes(token.content)),
  );
  if (flagged.length === 0) return undefined;
  return `${flagged.length} added tokens take up white space, stand alone or are normalised (such as ${JSON.stringify(flagged[0]!.content)}), which GGUF has no key for`;
}
