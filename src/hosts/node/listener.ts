/**
 * A fetch handler as a listener of node:http, which Express, Fastify and others take as well.
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A function from a request to its response, as `createHandler` makes it. */
export type FetchHandler = (request: Request) => Promise<Response>;

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

/** Milliseconds that a client has to read the end of its response. */
const FINISH_TIMEOUT = 30_000;

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
 */
export function toNodeListener(handler: FetchHandler): (request: NodeRequest, response: NodeResponse) => void {
  return (request, response) => {
    const [incoming, outgoing] = [request as IncomingMessage, response as ServerResponse];
    const answer = (): Promise<void> => serve(handler, incoming, outgoing);
    // HTTP/2 answers the requests of a connection at the same time.
    const answered = incoming.httpVersionMajor < 2 ? inTurn(incoming.socket, answer) : answer();
    // Only the connection itself can fail here, so there is no one to send an error to.
    answered.catch(() => outgoing.destroy());
  };
}

/** The last request of each connection. */
const turns = new WeakMap<Socket, Promise<void>>();

/**
 * Requests that a client has sent one behind the other without waiting (HTTP pipelining) are answered one after the other,
 * so that a connection takes one place in the queue. A request whose client has left is not begun.
 */
function inTurn(socket: Socket, action: () => Promise<void>): Promise<void> {
  const turn = (turns.get(socket) ?? Promise.resolve()).then(() => (socket.destroyed ? undefined : action()));
  turns.set(
    socket,
    turn.catch(() => {}),
  );
  return turn;
}

async function serve(handler: FetchHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const { socket } = incoming;
  const leave = (): void => {
    socket.off("close", leave);
    if (!outgoing.writableFinished) gone.abort(new DOMException("the client has left", "AbortError"));
  };
  outgoing.on("close", leave);
  // Older versions of Node do not close a response that waits behind another one.
  socket.on("close", leave);
  const request = toRequest(incoming, gone.signal);
  const response = request ? await handler(request) : new Response("bad request", { status: 400 });
  await send(response, outgoing, gone.signal);
}

/** Returns undefined for a URL, header or method that a `Request` cannot represent. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "/", headers: given } = incoming;
  const headers = new Headers();
  try {
    // Names such as ":path" are HTTP/2's, and no headers.
    for (const [name, value] of Object.entries(given)) if (!name.startsWith(":")) headers.set(name, String(value));
    const parsed = parsedBody(incoming);
    if (parsed !== undefined) for (const name of ["content-length", "content-encoding"]) headers.delete(name);
    const hasBody = method !== "GET" && method !== "HEAD";
    // Absolute forms such as `GET http://elsewhere/` are for proxies and become plain paths.
    return new Request(
      new URL(`http://${given.host ?? given[":authority"] ?? "localhost"}${url.startsWith("/") ? url : `/${url}`}`),
      {
        method,
        headers,
        signal,
        ...(hasBody && { body: parsed ?? bodyOf(incoming), duplex: "half" }),
      } as RequestInit,
    );
  } catch {
    return undefined;
  }
}

/**
 * The body, if a middleware before this listener has read it already, such as Express's `express.json()` or the parser of
 * Next.js. They leave what they made of it in the property `body`: an object, a text or bytes.
 */
function parsedBody(
  incoming: IncomingMessage & { readonly body?: unknown },
): string | Uint8Array<ArrayBuffer> | undefined {
  if (!incoming.readableEnded || incoming.body === undefined) return undefined;
  const { body } = incoming;
  return typeof body === "string" || body instanceof Uint8Array
    ? (body as Uint8Array<ArrayBuffer>)
    : JSON.stringify(body);
}

/** The body is read from the socket as the handler asks for it. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const iterator = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Writes the response and waits for the client whenever its socket's buffer is full. */
async function send({ status, headers, body }: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  if (gone.aborted) {
    await body?.cancel(gone.reason);
    return;
  }
  // The rest of an unfinished request is not read, so its connection cannot be used again.
  if (!outgoing.req.complete) headers.set("connection", "close");
  outgoing.writeHead(status, [...headers].flat());
  const reader = body?.getReader();
  if (reader) {
    const leave = (): void => void reader.cancel(gone.reason).catch(() => {});
    gone.addEventListener("abort", leave);
    // The handler's stream fails when the client takes nothing for too long, also while this loop waits for it.
    reader.closed.catch(() => outgoing.destroy());
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (!outgoing.write(part.value)) await drained(outgoing, gone);
      }
    } finally {
      gone.removeEventListener("abort", leave);
    }
  }
  outgoing.setTimeout(FINISH_TIMEOUT, () => outgoing.destroy());
  outgoing.end();
}

function drained(outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const ready = (): void => {
      outgoing.off("drain", ready);
      gone.removeEventListener("abort", ready);
      resolve();
    };
    outgoing.on("drain", ready);
    gone.addEventListener("abort", ready);
  });
}
