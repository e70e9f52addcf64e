/**
 * vLLM's own paths, beside those that it shares with OpenAI. Its /tokenize, /detokenize and /rerank are in `llama-server/`, since
 * their bodies and answers have a common form.
 * @module
 */
import { version } from "../../base/version.ts";
import { computation, facts } from "../endpoint.ts";
import { health } from "../llama-server/monitoring.ts";
import type { Exchange, Route } from "../route.ts";
import { score } from "./score.ts";

export const VLLM_ROUTES: readonly Route[] = [
  { method: "GET", path: "/version", respond: facts(() => ({ version })) },
  // SageMaker has no key and asks whether the server lives.
  { method: "GET", path: "/ping", open: true, respond: ping },
  { method: "POST", path: "/ping", open: true, respond: ping },
  { method: "GET", path: "/load", respond: facts(load) },
  { method: "POST", path: "/v1/score", respond: computation(score) },
];

/** @throws NibbleError as /health */
function ping(exchange: Exchange): Response {
  health(exchange);
  return new Response(null);
}

/** The requests that are answered or wait for a slot. */
function load({ server: { admission } }: Exchange): object {
  return { server_load: admission.active + admission.queued };
}
