/**
 * A fetch handler as a listener of node:http, which Express, Fastify and others take as well. Its declarations do not need
 * @types/node, which users of other hosts do not have.
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FetchHandler } from "./fetch-handler.ts";
import { answer } from "./listener.ts";

/** Node's `IncomingMessage`, or HTTP/2's. (Its own type would need @types/node, which users of other hosts do not have.) */
export interface NodeRequest {
  /** Such as "POST". */
  readonly method?: string | undefined;
  /** The path with its query. */
  readonly url?: string | undefined;
  /** The values by their names in lower case. */
  readonly headers: object;
}

/** Node's `ServerResponse`, or HTTP/2's. */
export interface NodeResponse {
  /** Whether the response has begun. */
  readonly headersSent: boolean;
  /** Whether all of it has been written. */
  readonly writableEnded: boolean;
}

/**
 * Makes a listener for `createServer` of node:http, and for the frameworks on top of it, of a handler such as
 * `createHandler`'s. The request's signal is aborted when the client leaves, and a slow client makes the handler wait.
 *
 * ```ts
 * createServer(toNodeListener(createHandler(model))).listen(8080);
 * app.use("/ai", toNodeListener(createHandler(model))); // Express, which takes "/ai" off the path
 * ```
 *
 * Frameworks that leave the path as it is need the handler's option `basePath`.
 * @returns a listener. Its promise never rejects, and is fulfilled when the answer is sent or its client has left; frameworks
 *   such as h3 (Nuxt) wait for it
 */
export function toNodeListener(handler: FetchHandler): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return (request, response) =>
    answer(handler, { incoming: request as IncomingMessage, outgoing: response as ServerResponse });
}
