/**
 * What a pool knows about one of its servers.
 * @module
 */
import { InFlightLimit } from "./in-flight.ts";
import type { Answer, BatchServer } from "./server.ts";
import { kindOf } from "./status.ts";

/** What became of sending a request to one server. */
export type Sent =
  /** The request's answer, which no other server would give otherwise. */
  | { readonly kind: "answered"; readonly answer: Answer }
  /** The server has too much to do, or is not ready. The request was not looked at. */
  | { readonly kind: "busy" }
  /** The server failed at this request. */
  | { readonly kind: "failed"; readonly answer: Answer }
  /** The connection was cut. */
  | { readonly kind: "cut"; readonly reason: string }
  /** The server does not accept the API key. */
  | { readonly kind: "refused"; readonly status: number };

export class Member {
  readonly server: BatchServer;
  readonly #limit: InFlightLimit;
  /** Ends the requests that the server has, when it counts as dead. */
  #life = new AbortController();
  #sending = new Map<object, number>();
  #refusals = 0;
  #restUntil = 0;
  /** Whether the server is reachable; at first it is not known to be. */
  up = false;
  /** Whether the server refuses the API key. It is not asked again. */
  gone = false;
  /** When the server last gave a sign of life, on the clock of `performance.now`. */
  heard = 0;
  /** Signs of life that were asked for and did not come. */
  silences = 0;

  constructor(server: BatchServer, maxInFlight: number) {
    this.server = server;
    this.#limit = new InFlightLimit(maxInFlight);
  }

  get inFlight(): number {
    return this.#sending.size;
  }

  /** How full the server is, from 0; undefined where it takes nothing now. */
  get load(): number | undefined {
    const limit = this.#limit.value;
    if (!this.up || this.inFlight >= limit || performance.now() < this.#restUntil) return undefined;
    return this.inFlight / limit;
  }

  /** Milliseconds until the server may be asked again; undefined where it need not wait. */
  get rest(): number | undefined {
    const rest = this.#restUntil - performance.now();
    return this.up && rest > 0 ? rest : undefined;
  }

  /** Milliseconds since the oldest request that the server has; undefined where it has none. */
  get age(): number | undefined {
    const [oldest] = this.#sending.values();
    return oldest === undefined ? undefined : performance.now() - oldest;
  }

  /** Takes a place among the requests in flight. */
  reserve(): object {
    const place = {};
    this.#sending.set(place, performance.now());
    return place;
  }

  revive(slots: number | undefined): void {
    this.up = true;
    this.silences = 0;
    this.heard = performance.now();
    this.#refusals = 0;
    this.#restUntil = 0;
    this.#limit.restart(slots);
  }

  /** Ends the requests that the server has. */
  cutOff(): void {
    this.#life.abort();
    this.#life = new AbortController();
  }

  /**
   * Sends a request on a reserved place, and frees the place.
   * @param pauseMs makes the pause before the next request from the number of refusals in a row
   * @throws the reason of `signal`
   */
  async send(
    place: object,
    { path, body }: Question,
    signal: AbortSignal,
    pauseMs: (n: number) => number,
  ): Promise<Sent> {
    const life = this.#life.signal;
    try {
      const answer = await this.server.send(path, body, AbortSignal.any([life, signal]));
      signal.throwIfAborted(); // a handler of this process answers with a status when its client leaves
      const before = this.inFlight;
      this.#sending.delete(place);
      this.heard = performance.now();
      this.silences = 0;
      const kind = kindOf(answer);
      if (kind === "refused") return { kind, status: answer.status };
      if (kind === "busy") {
        this.#limit.refused(this.inFlight);
        const pause = answer.retryAfterMs ?? pauseMs(this.#refusals++);
        this.#restUntil = Math.max(this.#restUntil, performance.now() + pause);
        return { kind };
      }
      this.#refusals = 0;
      if (kind === "answered") this.#limit.accepted(before);
      return { kind, answer };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "cut", reason: life.aborted ? "the server fell silent" : reasonOf(error) };
    } finally {
      this.#sending.delete(place);
    }
  }
}

/** A request as it is sent. */
export interface Question {
  /** Such as `/v1/completions`. */
  readonly path: string;
  /** Undefined: the request is a GET. */
  readonly body?: object | undefined;
}

/** The innermost message: `fetch` says only that it failed. */
export function reasonOf(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  if (!(reason instanceof Error)) return String(reason);
  return reason.message || ((reason as { code?: string }).code ?? reason.name);
}
