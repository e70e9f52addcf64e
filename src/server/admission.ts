/**
 * How many answers are made at once, how many requests may wait, and how all of that ends.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** One request for an answer, from its arrival to its last byte. It holds a slot or a place in the queue. */
export interface Flight {
  /** Aborted when the client leaves, reads too slowly, or the server's grace is over. */
  readonly signal: AbortSignal;
  /** Resolves when the slot is there, in order of arrival; rejects with the signal's reason. */
  readonly slot: Promise<void>;
  abort(reason: unknown): void;
  /** Gives the slot or the place back. Calls after the first do nothing. */
  end(): void;
}

export class Admission {
  readonly #slots: number;
  readonly #queue: number;
  /** Those who wait, longest first: what gives each its slot. */
  readonly #waiting = new Map<Flight, () => void>();
  readonly #flights = new Set<Flight>();
  #active = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  /** @param slots answers made at once. @param queue requests that may wait for a slot */
  constructor(slots: number, queue: number) {
    this.#slots = slots;
    this.#queue = queue;
  }

  get active(): number {
    return this.#active;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Before any work is done for a request. @throws NibbleError `overloaded`, `shutting_down` */
  check(): void {
    if (this.#closed) throw new NibbleError("shutting_down", "the server is shutting down");
    if (this.#active < this.#slots || this.#waiting.size < this.#queue) return;
    throw new NibbleError(
      "overloaded",
      `${this.#slots} requests are being answered and ${this.#queue} are waiting; try again later`,
    );
  }

  /** @param client aborts when the client leaves. @throws NibbleError `overloaded`, `shutting_down` */
  open(client: AbortSignal): Flight {
    this.check();
    const controller = new AbortController();
    const { signal } = controller;
    const left = (): void => controller.abort(client.reason);
    let grant = (): void => {};
    const slot = new Promise<void>((resolve, reject) => {
      grant = resolve;
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    slot.catch(() => {}); // nobody may have come to wait for it
    const flight: Flight = {
      signal,
      slot,
      abort: (reason) => controller.abort(reason),
      end: () => {
        client.removeEventListener("abort", left);
        this.#leave(flight);
      },
    };
    this.#flights.add(flight);
    if (this.#active < this.#slots) {
      this.#active++;
      grant();
    } else {
      this.#waiting.set(flight, grant);
    }
    if (client.aborted) left();
    else client.addEventListener("abort", left);
    return flight;
  }

  /** No more requests; those that are here have `graceMs` to end, then they are aborted. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#flights.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    const timer = setTimeout(() => {
      const reason = new NibbleError("shutting_down", "the server is shutting down: the answer is cut off here");
      for (const flight of this.#flights) flight.abort(reason);
    }, graceMs);
    await idle;
    clearTimeout(timer);
  }

  /** A slot goes to whoever has waited longest. */
  #leave(flight: Flight): void {
    if (!this.#flights.delete(flight)) return;
    if (!this.#waiting.delete(flight)) {
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next[0]);
        next[1]();
      } else {
        this.#active--;
      }
    }
    if (this.#flights.size === 0) this.#idle?.();
  }
}
