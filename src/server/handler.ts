/**
 * The server as a function from a request to a response, for every host that has `fetch`'s types.
 * @module
 */

import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import { checkHeaders, checkHost, corsHeaders, keyCheck, preflightHeaders } from "./access.ts";
import { Admission } from "./admission.ts";
import { type Dialect, errorResponse, isInternal } from "./errors.ts";
import { Metrics } from "./metrics.ts";
import { checkModels } from "./models.ts";
import { checkHandlerOptions, type HandlerOptions, type Settings } from "./options.ts";
import { createRoutes, type Route } from "./routes.ts";

export interface Handler {
  /** Answers every request, wrong ones too: it never rejects. */
  (request: Request): Promise<Response>;
  /**
   * No more answers: new requests and /health are told 503. Resolves when all that are under way have ended; after
   * `graceMs` (default 30,000) they are cut off with an error. The models are not disposed.
   */
  close(graceMs?: number): Promise<void>;
}

/** As nginx calls a request whose client left before its answer. Nobody sees it but the metrics. */
const CLIENT_LEFT = 499;

/**
 * OpenAI's and Anthropic's endpoints and llama-server's for one model, or for several that the field `model` tells apart.
 *
 * ```ts
 * const handler = createHandler(await load("crumb"));
 * Deno.serve(handler); // or Bun.serve({ fetch: handler }), or export default { fetch: handler }
 * ```
 *
 * Workers tell of a client that leaves before a whole answer only with the compatibility flag `enable_request_signal`.
 * @throws NibbleError `invalid_argument` that names the option
 */
export function createHandler(model: Model | readonly Model[], options: HandlerOptions = {}): Handler {
  const models = checkModels(model);
  const settings = checkHandlerOptions(options);
  const checkKey = keyCheck(settings);
  const admission = new Admission(settings.slots, settings.queue);
  const metrics = new Metrics();
  const routes = createRoutes(models, settings, admission, metrics);

  async function handle(request: Request): Promise<Response> {
    let path = "other";
    let dialect: Dialect = "openai";
    let response: Response;
    try {
      const url = new URL(request.url);
      const route = routes.get(url.pathname);
      if (route) path = url.pathname;
      if (url.pathname.startsWith("/v1/messages")) dialect = "anthropic";
      checkHeaders(request);
      checkHost(url, settings);
      if (!route) {
        await checkKey(request);
        throw new NibbleError("not_found", `${url.pathname.slice(0, 100)}: no such endpoint`);
      }
      if (request.method === "OPTIONS") response = optionsResponse(request, route, settings);
      else if (methodsOf(route).includes(request.method)) {
        if (!route.open) await checkKey(request);
        response = await route.respond(request, url);
      } else {
        const wrong = `${path}: expected ${route.method}, got ${request.method.slice(0, 20)}`;
        response = errorResponse(new NibbleError("method_not_allowed", wrong), dialect);
        response.headers.set("allow", methodsOf(route).join(", "));
      }
    } catch (error) {
      if (request.signal.aborted) {
        response = new Response(null, { status: CLIENT_LEFT });
      } else {
        if (isInternal(error)) settings.onError(error);
        response = errorResponse(error, dialect);
      }
    }
    metrics.request(path, response.status);
    for (const [name, value] of Object.entries(corsHeaders(request, settings))) response.headers.set(name, value);
    return request.method === "HEAD" ? withoutBody(response) : response;
  }

  return Object.assign(handle, { close: (graceMs = 30_000) => admission.close(graceMs) });
}

function methodsOf({ method }: Route): readonly string[] {
  return method === "GET" ? ["GET", "HEAD", "OPTIONS"] : ["POST", "OPTIONS"];
}

/** Without `cors` a page learns nothing that would let it ask. */
function optionsResponse(request: Request, route: Route, { cors }: Settings): Response {
  const preflight = cors.length > 0 && request.headers.has("access-control-request-method");
  const headers = { allow: methodsOf(route).join(", "), ...(preflight && preflightHeaders(request)) };
  return new Response(null, { status: 204, headers });
}

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => {});
  return new Response(null, response);
}
