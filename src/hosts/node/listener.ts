/**
 * Answers requests of node:http by a fetch handler.
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FetchHandler } from "./fetch-handler.ts";

/** Milliseconds that a client has to read the end of its response. */
const FINISH_TIMEOUT = 30_000;
/** Requests that one connection may send ahead of their answers. With more it is cut off. */
const MAX_AHEAD = 100;
/** Milliseconds for which the rest of a refused body is read and dropped, without a byte and in all. */
const LINGER_IDLE = 2000;
const LINGER = 30_000;

/** A request and its response as Node has them. */
export interface NodeExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Asks the client for its body, where it waits for that (`Expect: 100-continue`). */
  readonly askForBody?: (() => void) | undefined;
}

/** Answers a request by a handler. @returns a promise that never rejects, fulfilled when the answer is sent or its client has left */
export function answer(handler: FetchHandler, exchange: NodeExchange): Promise<void> {
  const { incoming, outgoing } = exchange;
  const action = (): Promise<void> => serve(handler, exchange);
  // HTTP/2 answers the requests of a connection at the same time.
  const answered = incoming.httpVersionMajor < 2 ? inTurn(incoming.socket, action) : action();
  // Only the connection itself can fail here, so there is no one to send an error to.
  return answered.catch(() => void outgoing.destroy());
}

/** The last request of each connection, and how many are not answered yet. */
const turns = new WeakMap<Socket, { last: Promise<void>; count: number }>();

/**
 * Requests that a client has sent one behind the other without waiting (HTTP pipelining) are answered one after the other,
 * so that a connection takes one place in the queue. A request whose client has left is not begun.
 */
async function inTurn(socket: Socket, action: () => Promise<void>): Promise<void> {
  const turn = turns.get(socket) ?? { last: Promise.resolve(), count: 0 };
  turns.set(socket, turn);
  if (++turn.count > MAX_AHEAD) socket.destroy();
  const own = turn.last.then(() => (hasLeft(socket) ? undefined : action()));
  turn.last = own.catch(() => {});
  try {
    await own;
  } finally {
    turn.count--;
  }
}

/** Also where it has only ended its own side: behind a proxy that passes this on, nobody reads the answer any more. */
function hasLeft(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded;
}

async function serve(handler: FetchHandler, exchange: NodeExchange): Promise<void> {
  const { incoming, outgoing } = exchange;
  const gone = new AbortController();
  // In HTTP/2 one client's requests share the connection, and each response closes by itself.
  const socket = incoming.httpVersionMajor < 2 ? incoming.socket : undefined;
  const leave = (): void => {
    if (!outgoing.writableFinished) gone.abort(new DOMException("the client has left", "AbortError"));
  };
  outgoing.on("close", leave);
  // Older versions of Node do not close a response that waits behind another one.
  socket?.on("close", leave).on("end", leave);
  try {
    const request = toRequest(exchange, gone.signal);
    const response = request ? await handler(request) : new Response("bad request", { status: 400 });
    await send(response, outgoing, gone.signal);
  } finally {
    socket?.off("close", leave).off("end", leave);
  }
}

/** Returns undefined for a URL, header or method that a `Request` cannot represent. */
function toRequest({ incoming, askForBody }: NodeExchange, signal: AbortSignal): Request | undefined {
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
        ...(hasBody && { body: parsed ?? bodyOf(incoming, askForBody), duplex: "half" }),
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
function bodyOf(incoming: IncomingMessage, ask: (() => void) | undefined): ReadableStream<Uint8Array> {
  const iterator = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        ask?.();
        ask = undefined;
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
  // HTTP/2 ends the request alone, and not the connection.
  if (!outgoing.req.complete && outgoing.req.httpVersionMajor < 2) {
    await refuse({ status, headers, body } as Response, outgoing);
    return;
  }
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

const TOO_SLOW = 408;

/**
 * Answers a request whose body has not arrived whole. The answer has a length, so that the client has all of it at once. What
 * it still sends is read and dropped for a while: a connection that is closed before is reset, and the client, which may
 * look at the answer only behind its own last byte, would lose it (RFC 9112, section 9.6).
 */
async function refuse(response: Response, outgoing: ServerResponse): Promise<void> {
  const body = new Uint8Array(await new Response(response.body).arrayBuffer());
  const headers = { ...Object.fromEntries(response.headers), "content-length": body.length, connection: "close" };
  outgoing.writeHead(response.status, headers);
  outgoing.write(body);
  if (response.status !== TOO_SLOW) await dropped(outgoing.req);
  outgoing.end();
}

/** Resolves when the rest of a request's body has been dropped, or the client sends no more. */
function dropped(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(idle);
      clearTimeout(all);
      resolve();
    };
    const idle = setTimeout(end, LINGER_IDLE);
    const all = setTimeout(end, LINGER);
    incoming.on("data", () => idle.refresh());
    for (const event of ["end", "close", "error"]) incoming.on(event, end);
    incoming.resume();
  });
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
