/**
 * OpenAI's paths.
 * @module
 */
import { computation, facts, generation, quick } from "../endpoint.ts";
import type { Route } from "../route.ts";
import { cancelBatch, createBatch, listBatches, oneBatch } from "./batches/endpoints.ts";
import { countChatTokens, prepareChat } from "./chat.ts";
import { prepareCompletion } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { deleteFile, fileContent, listFiles, oneFile, uploadFile } from "./files/endpoints.ts";
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
  { method: "POST", path: "/v1/files", respond: facts(uploadFile) },
  { method: "GET", path: "/v1/files", respond: facts(listFiles) },
  { method: "GET", path: "/v1/files/:id", respond: facts(oneFile) },
  { method: "DELETE", path: "/v1/files/:id", respond: facts(deleteFile) },
  { method: "GET", path: "/v1/files/:id/content", respond: fileContent },
  { method: "POST", path: "/v1/batches", respond: facts(createBatch) },
  { method: "GET", path: "/v1/batches", respond: facts(listBatches) },
  { method: "GET", path: "/v1/batches/:id", respond: facts(oneBatch) },
  { method: "POST", path: "/v1/batches/:id/cancel", respond: facts(cancelBatch) },
];
