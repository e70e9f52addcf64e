/**
 * OpenAI's /v1/embeddings: the engine's own call.
 * @module
 */
import type { EmbeddingRequest } from "../../engine/openai/embeddings.ts";
import type { Call } from "../call.ts";

/** The engine checks the body when the request has its slot. @throws NibbleError that names the field */
export function embeddings({ model, body }: Call): (signal: AbortSignal) => Promise<object> {
  return (signal) => model.embeddings.create(body as EmbeddingRequest, { signal });
}
