/**
 * A server for a fetch handler, on node:http. (Deno, Bun and Workers have their own.)
 * @module
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FetchHandler } from "./fetch-handler.ts";
import { answer, type NodeExchange } from "./listener.ts";

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

/**
 * Milliseconds for a client's headers; slower clients get status 408. Node's limit for whole requests is not used: it would
 * also count the time in which a body waits for its turn, and the handler has a limit of its own.
 */
const HEADERS_TIMEOUT = 10_000;
/** Requests of one connection, after which it is closed; as many as nginx's `keepalive_requests`. */
const MAX_REQUESTS = 1000;
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * Connections that may wait to be accepted. Beyond the limit (Node's default is 511) a client's first packet is lost,
 * and the client sends it again only after a second or more.
 */
const BACKLOG = 4096;

/** Starts a server. @throws the host's error if it cannot listen on the address */
export async function listen(
  handler: FetchHandler,
  { host = "127.0.0.1", port = 8080 }: ListenOptions = {},
): Promise<Listener> {
  const { createServer } = await import("node:http");
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: 0,
      connectionsCheckingInterval: 1000,
    },
    (incoming, outgoing) => begin({ incoming, outgoing }),
  );
  server.maxRequestsPerSocket = MAX_REQUESTS;
  // A client that asks first whether it shall send its body is told so when the handler reads it.
  server.on("checkContinue", (incoming, outgoing) =>
    begin({ incoming, outgoing, askForBody: () => outgoing.writeContinue() }),
  );
  function begin(exchange: NodeExchange): void {
    const { incoming, outgoing } = exchange;
    outgoing.on("finish", () => {
      if (!server.listening) incoming.socket.end();
    });
    answer(handler, exchange);
  }
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
