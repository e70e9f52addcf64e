/**
 * llama-server's own paths.
 * @module
 */
import { computation, facts, generation, modelFacts, quick } from "../endpoint.ts";
import { refused } from "../refused.ts";
import type { Route } from "../route.ts";
import { applyTemplate } from "./apply-template.ts";
import { prepareNative } from "./completion/endpoint.ts";
import { nativeEmbeddings } from "./embeddings.ts";
import { prepareInfill } from "./infill.ts";
import { listAdapters, setAdapters } from "./lora-adapters.ts";
import { loadNamed, unloadNamed } from "./model-control.ts";
import { health, metricsPage } from "./monitoring.ts";
import { props } from "./props.ts";
import { rerank } from "./rerank.ts";
import { slotAction, slotStates } from "./slots.ts";
import { detokenize, tokenize } from "./tokens.ts";

export const LLAMA_SERVER_ROUTES: readonly Route[] = [
  { method: "POST", path: "/completion", respond: generation(prepareNative) },
  { method: "POST", path: "/completions", respond: generation(prepareNative) },
  { method: "POST", path: "/infill", respond: generation(prepareInfill) },
  { method: "POST", path: "/embedding", respond: computation(nativeEmbeddings) },
  { method: "POST", path: "/embeddings", respond: computation(nativeEmbeddings) },
  ...["/rerank", "/reranking", "/v1/rerank", "/v1/reranking", "/v2/rerank"].map(
    (path): Route => ({ method: "POST", path, respond: computation(rerank) }),
  ),
  { method: "POST", path: "/tokenize", respond: quick(tokenize) },
  { method: "POST", path: "/detokenize", respond: quick(detokenize) },
  { method: "POST", path: "/apply-template", respond: quick(applyTemplate) },
  { method: "GET", path: "/lora-adapters", respond: modelFacts(listAdapters) },
  { method: "POST", path: "/lora-adapters", respond: quick(setAdapters) },
  { method: "GET", path: "/props", respond: facts(props) },
  { method: "GET", path: "/slots", respond: modelFacts(slotStates) },
  { method: "POST", path: "/slots/:id", respond: computation(slotAction) },
  { method: "POST", path: "/models/load", respond: facts(loadNamed) },
  { method: "POST", path: "/models/unload", respond: facts(unloadNamed) },
  { method: "GET", path: "/metrics", respond: metricsPage },
  // A load balancer has no key and asks whether the server lives.
  { method: "GET", path: "/health", open: true, respond: facts(health) },
  refused("POST", "/props", "settings are given when the server starts, or with each request"),
];
