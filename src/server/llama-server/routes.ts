/**
 * llama-server's own paths.
 * @module
 */
import { computation, facts, modelFacts, quick } from "../endpoint.ts";
import type { Route } from "../route.ts";
import { applyTemplate } from "./apply-template.ts";
import { health, metricsPage } from "./monitoring.ts";
import { props } from "./props.ts";
import { slotAction, slotStates } from "./slots.ts";
import { detokenize, tokenize } from "./tokens.ts";

export const LLAMA_SERVER_ROUTES: readonly Route[] = [
  { method: "POST", path: "/tokenize", respond: quick(tokenize) },
  { method: "POST", path: "/detokenize", respond: quick(detokenize) },
  { method: "POST", path: "/apply-template", respond: quick(applyTemplate) },
  { method: "GET", path: "/lora-adapters", respond: modelFacts(({ info }) => info.lora) },
  { method: "GET", path: "/props", respond: modelFacts(props) },
  { method: "GET", path: "/slots", respond: modelFacts(slotStates) },
  { method: "POST", path: "/slots/:id", respond: computation(slotAction) },
  { method: "GET", path: "/metrics", respond: metricsPage },
  // A load balancer has no key and asks whether the server lives.
  { method: "GET", path: "/health", open: true, respond: facts(health) },
];
