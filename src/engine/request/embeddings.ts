/**
 * Checks the untrusted body of OpenAI's embeddings call.
 * @module
 */
import { type FieldRules, Fields, invalid } from "../../base/fields.ts";
import { MAX_SALT } from "./common.ts";
import { type CheckedEmbedOptions, checkEmbedOptions, type EmbedContext, type EmbedInput } from "./embed-options.ts";
import { EMBEDDING_FIELDS } from "./field-tables.ts";

export interface CheckedEmbeddingRequest extends CheckedEmbedOptions {
  readonly inputs: readonly EmbedInput[];
  readonly base64: boolean;
}

/** @throws NibbleError `invalid_request` that names the field */
export function checkEmbeddingRequest(
  body: unknown,
  context: EmbedContext,
  rules?: FieldRules,
): CheckedEmbeddingRequest {
  const fields = new Fields(body, EMBEDDING_FIELDS, "", rules);
  fields.string("model", 1024);
  const options = checkEmbedOptions(fields, context, "prompt_name");
  if (options.settings.pooling === "none")
    throw fields.invalid("pooling", "mean, cls or last, since this API has one vector per text", "none");
  return {
    texts: options.texts,
    settings: { ...options.settings, cacheSalt: fields.string("cache_salt", MAX_SALT) },
    inputs: checkInput(fields.get("input")),
    base64: fields.oneOf("encoding_format", ["float", "base64"]) === "base64",
  };
}

/** One text or one array of ids, or an array of either. `embedPrompts` checks the texts and ids themselves. */
function checkInput(input: unknown): readonly EmbedInput[] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input)) throw invalid("input", "a string, an array of token ids, or an array of these", input);
  return typeof input[0] === "number" ? [input] : input;
}
