/** Servers that fail in a given way, without a network. */
import type { Answer, BatchServer } from "../../src/batch/server.ts";

export interface FakeServer extends BatchServer {
  /** What each call of `send` did, in order. */
  readonly bodies: unknown[];
  /** The largest number of requests at the same time. */
  most: number;
  /** Whether the machine is there. */
  alive: boolean;
  /** Cuts all connections. */
  kill(): void;
}

export interface FakeOptions {
  readonly slots?: number | undefined;
  /** Milliseconds of an answer. */
  readonly ms?: number;
  /** Requests at the same time beyond which the answer is 429. */
  readonly accepts?: number;
  /** Decides about the status of a request. */
  readonly status?: (body: unknown) => number;
  readonly alive?: boolean;
  /** The number of requests after which the server kills itself. */
  readonly killAfter?: number;
  /** Called when the server was killed. */
  readonly onKill?: () => void;
}

export function fakeServer(
  name: string,
  { slots, ms = 1, accepts = Infinity, status, alive = true, killAfter, onKill }: FakeOptions = {},
) {
  let inFlight = 0;
  let life = new AbortController();
  const server: FakeServer = {
    name,
    bodies: [],
    most: 0,
    alive,
    async probe() {
      if (!server.alive) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
      return slots;
    },
    async send(_path, body, signal) {
      if (!server.alive) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
      server.bodies.push(body);
      if (server.bodies.length === killAfter) setTimeout(() => server.kill());
      if (inFlight >= accepts) return { status: 429, body: {}, retryAfterMs: 5 };
      server.most = Math.max(server.most, ++inFlight);
      try {
        return await answered({ status: status?.(body) ?? 200, body: { echo: body }, retryAfterMs: undefined }, ms, [
          signal,
          life.signal,
        ]);
      } finally {
        inFlight--;
      }
    },
    kill() {
      server.alive = false;
      life.abort(new TypeError("fetch failed", { cause: new Error("socket hang up") }));
      life = new AbortController();
      onKill?.();
    },
  };
  return server;
}

function answered(answer: Answer, ms: number, signals: readonly AbortSignal[]): Promise<Answer> {
  const signal = AbortSignal.any([...signals]);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(answer), ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
