/**
 * Ollama's paths.
 * @module
 */
import { byName, computation, facts, generation } from "../endpoint.ts";
import { refused } from "../refused.ts";
import type { Route } from "../route.ts";
import { prepareOllamaChat } from "./chat.ts";
import { embed, embedPrompt } from "./embed.ts";
import { prepareGenerate } from "./generate.ts";
import { listLoaded, listTags, showModel } from "./models.ts";
import { pullModel } from "./pull.ts";

/** The version of Ollama whose API this is. Clients ask for it and refuse servers that are too old for them. */
const VERSION = "0.12.6";

export const OLLAMA_ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/chat", respond: generation(prepareOllamaChat, byName) },
  { method: "POST", path: "/api/generate", respond: generation(prepareGenerate, byName) },
  { method: "POST", path: "/api/embed", respond: computation(embed, byName) },
  { method: "POST", path: "/api/embeddings", respond: computation(embedPrompt, byName) },
  { method: "GET", path: "/api/tags", respond: facts(listTags) },
  { method: "GET", path: "/api/ps", respond: facts(listLoaded) },
  { method: "POST", path: "/api/show", respond: facts(showModel) },
  { method: "GET", path: "/api/version", respond: facts(() => ({ version: VERSION })) },
  { method: "POST", path: "/api/pull", respond: pullModel },
  refused("DELETE", "/api/delete", "delete models with `nibble rm`"),
  refused("POST", "/api/copy", "name a model with --alias when the server starts"),
  refused("POST", "/api/create", "make GGUF files with `nibble convert`"),
  refused("POST", "/api/push", "models are not published from here"),
  refused("POST", "/api/blobs/:digest", "make GGUF files with `nibble convert`"),
];
