/**
 * OpenAI's embeddings call over `embed`.
 * @module
 */

import { Fields, invalid } from "../../base/fields.ts";
import {
  checkEmbedOptions,
  EMBED_FIELDS,
  type EmbedContext,
  type Embeddings,
  type EmbedInput,
  type EmbedSettings,
} from "../embed.ts";
import type { EmbeddingResponse } from "../openai/types.ts";

const FIELDS = ["input", "model", "encoding_format", "dimensions", "user", ...EMBED_FIELDS];

export interface CheckedEmbeddingRequest {
  readonly inputs: readonly EmbedInput[];
  readonly base64: boolean;
  readonly settings: EmbedSettings;
}

/** @throws NibbleError `invalid_request` that names the field */
export function checkEmbeddingRequest(body: unknown, context: EmbedContext): CheckedEmbeddingRequest {
  const { hiddenSize } = context.executor;
  const fields = new Fields(body, FIELDS);
  fields.string("model", 1024);
  fields.string("user", 1024);
  const dimensions = fields.number("dimensions", { min: 1, integer: true });
  if (dimensions !== undefined && dimensions !== hiddenSize)
    throw fields.invalid("dimensions", `${hiddenSize} (embeddings of this model are not cut)`, dimensions);
  return {
    inputs: checkInput(fields.get("input")),
    base64: fields.oneOf("encoding_format", ["float", "base64"]) === "base64",
    settings: checkEmbedOptions(fields, context),
  };
}

/** One text or one array of ids, or an array of either; what stands in them is checked with the texts. */
function checkInput(input: unknown): readonly EmbedInput[] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input)) throw invalid("input", "a string, an array of token ids, or an array of these", input);
  return typeof input[0] === "number" ? [input] : input;
}

export function embeddingResponse({ vectors, tokens }: Embeddings, model: string, base64: boolean): EmbeddingResponse {
  return {
    object: "list",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? toBase64(vector) : Array.from(vector),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Little-endian f32. */
function toBase64(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  vector.forEach((x, i) => {
    view.setFloat32(4 * i, x, true);
  });
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
