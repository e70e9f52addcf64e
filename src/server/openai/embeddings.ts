/**
 * OpenAI's /v1/embeddings: the engine's own call.
 * @module
 */
import type { EmbeddingRequest } from "../../engine/openai/embeddings.ts";
import type { Call } from "../call.ts";
import { callOptions } from "../engine-calls.ts";
import { withNativeInputs } from "../llama-server/embeddings.ts";

/** The engine checks the body when the request has its slot. @throws NibbleError that names the field */
export function embeddings(call: Call): (signal: AbortSignal) => Promise<object> {
  const { pooling } = call.exchange.server.settings;
  const body = { ...(pooling && { pooling }), ...(withNativeInputs(call) as EmbeddingRequest) };
  return (signal) => call.model.embeddings.create(body, callOptions(call, signal));
}
