/**
 * Admission control: how many answers are generated at once, how many requests may wait, and how the server ends.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** The ticket of an admitted request, from its arrival to its last byte: a slot, or a place in the queue. */
export interface Ticket {
  /** Aborts when the client leaves or reads too slowly, and when the server's grace period is over. */
  readonly signal: AbortSignal;
  /** Resolves when the request has its slot; slots are given in order of arrival. Rejects with the signal's reason. */
  readonly slot: Promise<void>;
  abort(reason: unknown): void;
  /** Gives the slot or the place in the queue back. Calls after the first do nothing. */
  end(): void;
}

export class Admission {
  readonly #slots: number;
  readonly #queue: number;
  /** The requests in the queue, oldest first, and the function that gives each its slot. */
  readonly #waiting = new Map<Ticket, () => void>();
  readonly #tickets = new Set<Ticket>();
  #active = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  /** @param slots answers generated at once. @param queue requests that may wait for a slot */
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

  /** Called before any work is done for a request. @throws NibbleError `overloaded`, `shutting_down` */
  check(): void {
    if (this.#closed) throw new NibbleError("shutting_down", "the server is shutting down");
    if (this.#active < this.#slots || this.#waiting.size < this.#queue) return;
    throw new NibbleError(
      "overloaded",
      `${this.#slots} requests are being answered and ${this.#queue} are waiting; try again later`,
    );
  }

  /** @param client aborts when the client leaves. @throws NibbleError `overloaded`, `shutting_down` */
  admit(client: AbortSignal): Ticket {
    this.check();
    const controller = new AbortController();
    const { signal } = controller;
    // The end comes at once: on Workers, the code of a request whose client has left may never run again.
    const left = (): void => {
      controller.abort(client.reason);
      ticket.end();
    };
    let grant = (): void => {};
    const slot = new Promise<void>((resolve, reject) => {
      grant = resolve;
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    slot.catch(() => {}); // the request may fail before it waits for its slot
    const ticket: Ticket = {
      signal,
      slot,
      abort: (reason) => controller.abort(reason),
      end: () => {
        client.removeEventListener("abort", left);
        this.#leave(ticket);
      },
    };
    this.#tickets.add(ticket);
    if (this.#active < this.#slots) {
      this.#active++;
      grant();
    } else {
      this.#waiting.set(ticket, grant);
    }
    if (client.aborted) left();
    else client.addEventListener("abort", left);
    return ticket;
  }

  /** Admits no more requests. Running requests have `graceMs` to end; then they are aborted. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#tickets.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    const timer = setTimeout(() => {
      const reason = new NibbleError("shutting_down", "the server is shutting down: the answer is cut off here");
      for (const ticket of this.#tickets) ticket.abort(reason);
    }, graceMs);
    await idle;
    clearTimeout(timer);
  }

  /** A free slot goes to the request that has waited longest. */
  #leave(ticket: Ticket): void {
    if (!this.#tickets.delete(ticket)) return;
    if (!this.#waiting.delete(ticket)) {
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next[0]);
        next[1]();
      } else {
        this.#active--;
      }
    }
    if (this.#tickets.size === 0) this.#idle?.();
  }
}
