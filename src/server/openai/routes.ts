/**
 * OpenAI's paths.
 * @module
 */
import { computation, generation } from "../endpoint.ts";
import type { Route } from "../route.ts";
import { prepareChat } from "./chat.ts";
import { prepareCompletion } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { prepareResponse } from "./responses/endpoint.ts";

export const OPENAI_ROUTES: readonly Route[] = [
  { method: "POST", path: "/v1/chat/completions", respond: generation(prepareChat) },
  { method: "POST", path: "/v1/completions", respond: generation(prepareCompletion) },
  { method: "POST", path: "/v1/responses", respond: generation(prepareResponse) },
  { method: "POST", path: "/v1/embeddings", respond: computation(embeddings) },
];
