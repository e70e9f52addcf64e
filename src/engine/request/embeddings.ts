/**
 * Checks the untrusted body of OpenAI's embeddings call.
 * @module
 */
import { type FieldRules, Fields, invalid } from "../../base/fields.ts";
import type { EmbedSettings } from "../generate/embedding.ts";
import { checkEmbedOptions, type EmbedContext, type EmbedInput } from "./embed-options.ts";
import { EMBEDDING_FIELDS } from "./field-tables.ts";

export interface CheckedEmbeddingRequest {
  readonly inputs: readonly EmbedInput[];
  readonly base64: boolean;
  readonly settings: EmbedSettings;
}

/** @throws NibbleError `invalid_request` that names the field */
export function checkEmbeddingRequest(
  body: unknown,
  context: EmbedContext,
  rules?: FieldRules,
): CheckedEmbeddingRequest {
  const { hiddenSize } = context.executor;
  const fields = new Fields(body, EMBEDDING_FIELDS, "", rules);
  fields.string("model", 1024);
  const dimensions = fields.number("dimensions", { min: 1, integer: true });
  if (dimensions !== undefined && dimensions !== hiddenSize)
    throw fields.invalid("dimensions", `${hiddenSize} (embeddings of this model are not cut)`, dimensions);
  return {
    inputs: checkInput(fields.get("input")),
    base64: fields.oneOf("encoding_format", ["float", "base64"]) === "base64",
    settings: checkEmbedOptions(fields, context),
  };
}

/** One text or one array of ids, or an array of either. `embedPrompts` checks the texts and ids themselves. */
function checkInput(input: unknown): readonly EmbedInput[] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input)) throw invalid("input", "a string, an array of token ids, or an array of these", input);
  return typeof input[0] === "number" ? [input] : input;
}
