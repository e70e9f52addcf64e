/**
 * The server as a function from a request to a response, for every host that has `fetch`'s types.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { memoryStore } from "../batch/store.ts";
import { checkHeaders, checkHost, corsHeaders, keyCheck, preflightHeaders } from "./access.ts";
import { Admission } from "./admission.ts";
import { bodyReader } from "./body.ts";
import { ConversationStore } from "./conversation-store.ts";
import { dialectOf, errorResponse } from "./errors.ts";
import { Failures } from "./failures.ts";
import { Ignored } from "./ignored.ts";
import { Metrics } from "./metrics.ts";
import { ModelPool } from "./models/pool.ts";
import { checkModels, type GivenModels } from "./models/source.ts";
import { BatchQueue } from "./openai/batches/queue.ts";
import { FileLibrary } from "./openai/files/library.ts";
import { checkHandlerOptions, type HandlerOptions, type Settings } from "./options.ts";
import type { Route, ServerState } from "./route.ts";
import { type FoundRoutes, routeFinder } from "./routes.ts";

/** Answers a request, as the fetch handlers of Workers, Deno and Bun do. */
export interface Handler {
  /** Answers every request, wrong ones too: it never rejects. */
  (request: Request): Promise<Response>;
  /**
   * Refuses new requests, and /health, with status 503. The promise resolves when all requests under way have ended; after
   * `graceMs` (default 30,000) they are cut off with an error. Models that the handler has loaded are disposed then; the caller's own are not.
   */
  close(graceMs?: number): Promise<void>;
}

/** Most bytes of files and of batches' results, where they are kept in memory. */
const FILES_IN_MEMORY = 256 * 2 ** 20;

/** The status that nginx logs for a request whose client left before its answer. Only the metrics show it. */
const CLIENT_LEFT = 499;

/**
 * OpenAI's, Anthropic's and llama-server's endpoints for one model, or for several that a request's `model` field tells
 * apart. A model is given loaded, or as `{ name, load }`; then it is loaded when a request asks for it.
 *
 * ```ts
 * const handler = createHandler(await load("crumb"));
 * Deno.serve(handler); // or Bun.serve({ fetch: handler }), or export default { fetch: handler }
 * ```
 *
 * In Cloudflare Workers the compatibility flag `enable_request_signal` is needed to notice a client that leaves before
 * an answer which is not streamed.
 * @throws NibbleError `invalid_argument` that names the option
 */
export function createHandler(models: GivenModels, options: HandlerOptions = {}): Handler {
  const settings = checkHandlerOptions(options);
  const store = settings.fileStore ?? memoryStore(FILES_IN_MEMORY);
  const files = new FileLibrary(store);
  const failures = new Failures(settings.onError);
  const workshop = { store, files, slots: settings.slots, answer: answerOfBatch };
  const batches = new BatchQueue(workshop, (error) => failures.note(error));
  const server: ServerState = {
    models: new ModelPool(checkModels(models), settings),
    settings,
    admission: new Admission(settings.slots, settings.queue),
    quickly: new Admission(settings.slots, settings.queue),
    metrics: new Metrics(),
    failures,
    files,
    batches,
    readBody: bodyReader({ maxBytes: settings.maxBodyBytes, timeoutMs: settings.bodyTimeoutMs }),
    conversations: new ConversationStore(settings.responseStore),
    created: Math.floor(Date.now() / 1000),
  };
  const find = routeFinder(settings);
  const checkKey = keyCheck(settings);

  const handle = (request: Request): Promise<Response> => receive(request);
  function answerOfBatch(request: Request, caller: string | undefined): Promise<Response> {
    return receive(request, { caller });
  }

  async function receive(request: Request, batch?: Received["batch"]): Promise<Response> {
    const url = new URL(request.url);
    // A batch's requests come from within, where there is no base.
    const found = batch || takeBase(url, settings) ? find(url.pathname) : undefined;
    const ignored = new Ignored(settings);
    const response = await respond({ request, url, found, ignored, batch }).catch((error) =>
      failed(error, request, url, server.failures),
    );
    ignored.announce(response.headers);
    server.metrics.request(found?.path ?? "other", response.status);
    for (const [name, value] of Object.entries(corsHeaders(request, settings))) response.headers.set(name, value);
    return request.method === "HEAD" ? withoutBody(response) : response;
  }

  async function respond({ request, url, found, ignored, batch }: Received): Promise<Response> {
    checkHeaders(request);
    if (!batch) checkHost(url, settings);
    if (!found) {
      await checkKey(request);
      throw new NibbleError("not_found", `${url.pathname.slice(0, 100)}: there is no such endpoint`);
    }
    const { routes, params } = found;
    if (request.method === "OPTIONS") return optionsResponse(request, routes, settings);
    const route = routes.find((one) => methodsOf(one).includes(request.method));
    if (!route) return wrongMethod(request, url, routes);
    const caller = batch ? batch.caller : route.open ? undefined : await checkKey(request);
    const { rules } = ignored;
    const ignore = (what: string, why: string) => ignored.add(what, why);
    return route.respond({ request, url, params, server, caller, ofBatch: batch !== undefined, rules, ignore });
  }

  async function close(graceMs = 30_000): Promise<void> {
    await batches.close();
    await Promise.all([server.admission.close(graceMs), server.quickly.close(graceMs)]);
    server.models.dispose();
  }

  // Memory is empty at first, and Workers refuse to work outside of a request.
  if (settings.fileStore)
    for (const work of [files.removeOrphans(), batches.resume()]) work.catch((error: unknown) => failures.note(error));
  return Object.assign(handle, { close });
}

/** Takes the option `basePath` off a path; false if the path does not begin with it. */
function takeBase(url: URL, { basePath }: Settings): boolean {
  const path = url.pathname;
  if (basePath === "") return true;
  if (path !== basePath && !path.startsWith(`${basePath}/`)) return false;
  url.pathname = path.slice(basePath.length);
  return true;
}

interface Received {
  readonly request: Request;
  readonly url: URL;
  readonly found: FoundRoutes | undefined;
  readonly ignored: Ignored;
  /** Of a request that comes from a batch: who created it. Its key was checked then. */
  readonly batch?: { readonly caller: string | undefined } | undefined;
}

function failed(error: unknown, request: Request, { pathname }: URL, failures: Failures): Response {
  if (request.signal.aborted) return new Response(null, { status: CLIENT_LEFT });
  failures.note(error);
  return errorResponse(error, dialectOf(pathname, request.headers));
}

function methodsOf({ method }: Route): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}

/** The value of the header `allow`. */
function allowed(routes: readonly Route[]): string {
  return [...routes.flatMap(methodsOf), "OPTIONS"].join(", ");
}

function wrongMethod(request: Request, { pathname }: URL, routes: readonly Route[]): Response {
  const expected = routes.map(({ method }) => method).join(" or ");
  const message = `${routes[0]!.path}: expected ${expected}, got ${request.method.slice(0, 20)}`;
  const dialect = dialectOf(pathname, request.headers);
  const response = errorResponse(new NibbleError("method_not_allowed", message), dialect);
  response.headers.set("allow", allowed(routes));
  return response;
}

/** Answers OPTIONS. Without the option `cors`, no header allows a page of another origin to send a request. */
function optionsResponse(request: Request, routes: readonly Route[], { cors }: Settings): Response {
  const preflight = cors.length > 0 && request.headers.has("access-control-request-method");
  const headers = { allow: allowed(routes), ...(preflight && preflightHeaders(request)) };
  return new Response(null, { status: 204, headers });
}

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => {});
  return new Response(null, response);
}
