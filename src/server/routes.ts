/**
 * Which path answers what.
 * @module
 */

import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import type { Admission } from "./admission.ts";
import { type AnswerContext, answer, computed, type Prepare } from "./answer.ts";
import { countTokens, prepareMessages } from "./anthropic/messages.ts";
import { bodyReader } from "./body.ts";
import { isInternal } from "./errors.ts";
import { type SlotStore, slotAction, slotStates } from "./llama-server/slots.ts";
import { applyTemplate, detokenize, props, tokenize } from "./llama-server/text.ts";
import type { Metrics } from "./metrics.ts";
import { modelObject, pickModel } from "./models.ts";
import { embed, prepareChat, prepareCompletion } from "./openai/completions.ts";
import { prepareResponses } from "./openai/responses.ts";
import type { Settings } from "./options.ts";

export interface Route {
  readonly method: "GET" | "POST";
  /** Answered without an API key. */
  readonly open?: boolean;
  respond(request: Request, url: URL): Response | Promise<Response>;
}

export function createRoutes(
  models: readonly Model[],
  settings: Settings,
  admission: Admission,
  metrics: Metrics,
): ReadonlyMap<string, Route> {
  const created = Math.floor(Date.now() / 1000);
  const read = bodyReader({ maxBytes: settings.maxBodyBytes, timeoutMs: settings.bodyTimeoutMs });
  const onError = (error: unknown): void => {
    if (isInternal(error)) settings.onError(error);
  };
  const context: AnswerContext = { admission, metrics, stallMs: settings.stallTimeoutMs, onError };

  const get = (make: (url: URL) => object): Route => ({
    method: "GET",
    respond: (_, url) => Response.json(make(url)),
  });
  const call = (make: (model: Model, body: unknown) => object): Route => ({
    method: "POST",
    async respond(request) {
      const body = await read(request);
      const model = pickModel(models, body);
      return Response.json(make(model, body));
    },
  });
  const answers = <Chunk extends object>(prepare: (model: Model) => Prepare<Chunk>): Route => ({
    method: "POST",
    async respond(request) {
      admission.check(); // before the body is read
      const body = await read(request);
      return answer(prepare(pickModel(models, body)), body, request.signal, context);
    },
  });
  const embeddings: Route = {
    method: "POST",
    async respond(request) {
      admission.check();
      const body = await read(request);
      return computed((signal) => embed(pickModel(models, body), body, signal), request.signal, context);
    },
  };
  const slot = (id: number, store: SlotStore): Route => ({
    method: "POST",
    async respond(request, url) {
      admission.check();
      const body = await read(request);
      return computed(slotAction(pickModel(models, body), url, body, store, id), request.signal, context);
    },
  });
  const { page, slots, slotStore } = settings;

  return new Map<string, Route>([
    ["/v1/chat/completions", answers(prepareChat)],
    ["/v1/completions", answers(prepareCompletion)],
    ["/v1/responses", answers(prepareResponses)],
    ["/v1/embeddings", embeddings],
    ["/v1/messages", answers(prepareMessages)],
    ["/v1/messages/count_tokens", call(countTokens)],
    ["/v1/models", get(() => ({ object: "list", data: models.map((model) => modelObject(model, created)) }))],
    ...models.map((model): [string, Route] => [
      `/v1/models/${encodeURIComponent(model.info.name)}`,
      get(() => modelObject(model, created)),
    ]),
    ["/tokenize", call(tokenize)],
    ["/detokenize", call(detokenize)],
    ["/apply-template", call(applyTemplate)],
    ["/lora-adapters", get((url) => pickModel(models, namedBy(url)).info.lora)],
    ["/props", get((url) => props(pickModel(models, namedBy(url)), settings.slots))],
    ["/slots", get((url) => slotStates(pickModel(models, namedBy(url)), settings.slots, admission.active))],
    ...(slotStore
      ? Array.from({ length: slots }, (_, id): [string, Route] => [`/slots/${id}`, slot(id, slotStore)])
      : []),
    ["/metrics", { method: "GET", respond: () => metricsResponse(models, admission, metrics) }],
    // A load balancer asks without a key whether the server lives, and a browser has none for a page.
    ["/health", { ...get(() => health(admission)), open: true }],
    ...(page ? ([["/", { method: "GET", open: true, respond: page }]] as [string, Route][]) : []),
  ]);
}

/** `?model=NAME`, as a body would name it. */
function namedBy({ searchParams }: URL): { model: string | null } {
  return { model: searchParams.get("model") };
}

function health({ closed }: Admission): object {
  if (closed) throw new NibbleError("shutting_down", "the server is shutting down");
  return { status: "ok" };
}

function metricsResponse(models: readonly Model[], { active, queued }: Admission, metrics: Metrics): Response {
  const loads = models.map((model) => model.load());
  const sum = (field: "requests" | "usedPages" | "cachedPages") =>
    loads.reduce((total, load) => total + load[field], 0);
  const text = metrics.text([
    ["nibble_slots_busy", "Slots that are taken.", active],
    ["nibble_requests_queued", "Requests that wait for a slot.", queued],
    ["nibble_requests_running", "Requests in the engine.", sum("requests")],
    [
      "nibble_kv_pages_used",
      "Pages of the key-value cache that hold tokens of requests and sessions.",
      sum("usedPages"),
    ],
    ["nibble_kv_pages_cached", "Pages of the key-value cache that ended requests left for others.", sum("cachedPages")],
  ]);
  return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
}
