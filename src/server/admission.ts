/**
 * Admission control: how many answers are generated at once, how many requests may wait, and how the server ends.
 *
 * Requests of batches take the slots that are idle, and wait behind all others, as many as there are. A slot that a batch holds
 * does not count for the others, so no one waits for a batch: until the batch's answers end, there are more than `slots`.
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
  /** The same for requests of batches. */
  readonly #waitingBatch = new Map<Ticket, () => void>();
  /** The tickets with a slot, by whether they belong to a batch. */
  readonly #holders = new Map<Ticket, boolean>();
  readonly #tickets = new Set<Ticket>();
  #closed = false;
  #idle: (() => void) | undefined;

  /** @param slots answers generated at once. @param queue requests that may wait for a slot */
  constructor(slots: number, queue: number) {
    this.#slots = slots;
    this.#queue = queue;
  }

  get active(): number {
    return this.#holders.size;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether a request would get a slot at once. */
  #isFree(ofBatch: boolean): boolean {
    if (ofBatch) return this.#waiting.size === 0 && this.#holders.size < this.#slots;
    let own = 0;
    for (const held of this.#holders.values()) own += Number(!held);
    return own < this.#slots;
  }

  /** Called before any work is done for a request. @throws NibbleError `overloaded`, `shutting_down` */
  check(ofBatch = false): void {
    if (this.#closed) throw new NibbleError("shutting_down", "the server is shutting down");
    if (ofBatch || this.#isFree(false) || this.#waiting.size < this.#queue) return;
    throw new NibbleError(
      "overloaded",
      `${this.#slots} requests are being answered and ${this.#queue} are waiting; try again later`,
    );
  }

  /**
   * @param client aborts when the client leaves
   * @param ofBatch whether nobody waits for the answer
   * @throws NibbleError `overloaded`, `shutting_down`
   */
  admit(client: AbortSignal, ofBatch = false): Ticket {
    this.check(ofBatch);
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
    (ofBatch ? this.#waitingBatch : this.#waiting).set(ticket, grant);
    this.#grant();
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

  #leave(ticket: Ticket): void {
    if (!this.#tickets.delete(ticket)) return;
    for (const list of [this.#holders, this.#waiting, this.#waitingBatch]) list.delete(ticket);
    this.#grant();
    if (this.#tickets.size === 0) this.#idle?.();
  }

  /** A free slot goes to the request that has waited longest. */
  #grant(): void {
    for (const [list, ofBatch] of [
      [this.#waiting, false],
      [this.#waitingBatch, true],
    ] as const)
      for (const [ticket, grant] of list) {
        if (!this.#isFree(ofBatch)) break;
        list.delete(ticket);
        this.#holders.set(ticket, ofBatch);
        grant();
      }
  }
}
