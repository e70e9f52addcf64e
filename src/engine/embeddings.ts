/**
 * The model's two calls for embeddings.
 * @module
 */
import { Fields, invalid } from "../base/fields.ts";
import type { Core } from "./core.ts";
import { embed } from "./generate/embedding.ts";
import { type EmbeddingResponse, embeddingResponse } from "./openai/embeddings.ts";
import { checkCallOptions } from "./request/arguments.ts";
import { checkEmbedOptions, EMBED_FIELDS, embedPrompts } from "./request/embed-options.ts";
import { checkEmbeddingRequest } from "./request/embeddings.ts";

/** OpenAI's call. @throws NibbleError `invalid_request` that names the field, and as `embedTexts` */
export async function createEmbeddings(core: Core, body: unknown, options: unknown): Promise<EmbeddingResponse> {
  core.checkLive();
  const { embedding, name } = core;
  const { signal, rules } = checkCallOptions(options);
  const request = checkEmbeddingRequest(body, embedding, rules);
  const prompts = embedPrompts(request.inputs, embedding, request.texts);
  const result = await embed(prompts, { ...request.settings, ...signal }, embedding);
  return embeddingResponse(result, name, request.base64);
}

/** @returns f32[hidden size] per text @throws NibbleError `invalid_argument`, `context_full`, `disposed`, `poisoned` */
export async function embedTexts(core: Core, texts: unknown, options: unknown): Promise<Float32Array[]> {
  core.checkLive();
  const { embedding } = core;
  const fields = new Fields(options ?? {}, EMBED_FIELDS, "", "invalid_argument");
  const checked = checkEmbedOptions(fields, embedding, "promptName");
  if (!Array.isArray(texts)) throw invalid("texts", "an array of texts", texts, "invalid_argument");
  return (await embed(embedPrompts(texts, embedding, checked.texts), checked.settings, embedding)).vectors;
}
