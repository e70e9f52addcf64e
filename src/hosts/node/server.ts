/**
 * A fetch handler behind node:http. (Deno, Bun and Workers call a handler themselves.)
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface ListenOptions {
  /** The address to listen on. Default: 127.0.0.1, which only this machine can reach. */
  readonly host?: string;
  /** The port to listen on; 0 takes any free one. Default: 8080. */
  readonly port?: number;
}

export interface Listener {
  readonly url: string;
  /** How many connections are open. */
  connections(): Promise<number>;
  /** Accepts no more connections. Open ones end with their response, or after `graceMs` (default 1,000). */
  close(graceMs?: number): Promise<void>;
}

/** Milliseconds for a client's headers, and for its whole request. Slower clients get status 408. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 60_000;
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * Connections that may wait to be accepted. Beyond the limit (Node's default is 511) a client's first packet is lost,
 * and the client sends it again only after a second or more.
 */
const BACKLOG = 4096;
/** Milliseconds that a client has to read the end of its response. */
const FINISH_TIMEOUT = 30_000;

/** Starts a server. @throws the host's error if it cannot listen on the address */
export async function listen(
  handler: (request: Request) => Promise<Response>,
  { host = "127.0.0.1", port = 8080 }: ListenOptions = {},
): Promise<Listener> {
  const { createServer } = await import("node:http");
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1000,
    },
    (incoming, outgoing) => {
      outgoing.on("finish", () => {
        if (!server.listening) incoming.socket.end();
      });
      inTurn(incoming.socket, () => serve(handler, incoming, outgoing))
        // Only the connection itself can fail here, so there is no one to send an error to.
        .catch(() => outgoing.destroy());
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    close: (graceMs = 1000) => close(server, graceMs),
  };
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
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

async function serve(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
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
    for (const [name, value] of Object.entries(given)) headers.set(name, String(value));
    const hasBody = method !== "GET" && method !== "HEAD";
    // Absolute forms such as `GET http://elsewhere/` are for proxies and become plain paths.
    return new Request(new URL(`http://${given.host ?? "localhost"}${url.startsWith("/") ? url : `/${url}`}`), {
      method,
      headers,
      signal,
      ...(hasBody && { body: bodyOf(incoming), duplex: "half" }),
    } as RequestInit);
  } catch {
    return undefined;
  }
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
