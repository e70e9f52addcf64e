/**
 * OpenAI's /v1/embeddings: the engine's own call.
 * @module
 */
import type { EmbeddingRequest } from "../../engine/openai/embeddings.ts";
import type { Call } from "../call.ts";
import { callOptions } from "../engine-calls.ts";

/** The engine checks the body when the request has its slot. @throws NibbleError that names the field */
export function embeddings(call: Call): (signal: AbortSignal) => Promise<object> {
  return (signal) => call.model.embeddings.create(call.body as EmbeddingRequest, callOptions(call, signal));
}
