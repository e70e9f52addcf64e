/**
 * OpenAI's paths.
 * @module
 */
import { computation, facts, generation, quick } from "../endpoint.ts";
import type { Route } from "../route.ts";
import { countChatTokens, prepareChat } from "./chat.ts";
import { prepareCompletion } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { countResponseTokens, prepareResponse } from "./responses/endpoint.ts";
import { deleteResponse, storedResponse } from "./responses/stored.ts";

export const OPENAI_ROUTES: readonly Route[] = [
  { method: "POST", path: "/v1/chat/completions", respond: generation(prepareChat) },
  { method: "POST", path: "/v1/chat/completions/input_tokens", respond: quick(countChatTokens) },
  { method: "POST", path: "/v1/completions", respond: generation(prepareCompletion) },
  { method: "POST", path: "/v1/responses", respond: generation(prepareResponse) },
  { method: "POST", path: "/v1/responses/input_tokens", respond: quick(countResponseTokens) },
  { method: "GET", path: "/v1/responses/:id", respond: facts(storedResponse) },
  { method: "DELETE", path: "/v1/responses/:id", respond: facts(deleteResponse) },
  { method: "POST", path: "/v1/embeddings", respond: computation(embeddings) },
];
