/**
 * Several servers as one: each request is answered by whichever of them has room. A server that fails is left and asked again
 * later, and one that comes late joins.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { pause } from "../hub/http.ts";
import { Member, type Question, reasonOf, type Sent } from "./member.ts";
import type { Outcome } from "./result.ts";
import { type BatchServer, refusal } from "./server.ts";

export interface PoolOptions {
  /** Most requests that one server gets at the same time (default 64). */
  readonly maxInFlight?: number | undefined;
  /** Milliseconds without any server after which the pool gives up (default 60,000). */
  readonly waitMs?: number | undefined;
  /** Called with a sentence when a server fails or comes back. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Milliseconds of the first pause; each further one is twice as long (default 500). */
  readonly pauseMs?: number | undefined;
}

/** Most milliseconds between two attempts. */
const LONGEST_PAUSE = 10_000;
/** Attempts at one request that may fail, before that counts as its answer. */
const ATTEMPTS = 8;
/** Milliseconds between two looks at the servers. */
const TICK = 250;
/** Milliseconds for the answer to a sign of life. */
const PROBE_MS = 30_000;
/** Milliseconds in which a server that has requests must give a sign of life, before one is asked for. */
const SILENCE_MS = 30_000;
/** Signs of life that may stay out in a row. */
const SILENCES = 2;
/** Milliseconds after which a request that a server has counts as being computed. */
const COMPUTING_MS = 5000;

/** The outcome of a request, and the name of the server that brought it about. */
export type PoolOutcome = Outcome & { readonly server: string };

interface Waiter {
  give(member: Member): void;
  fail(error: unknown): void;
}

export class ServerPool {
  readonly #members: readonly Member[];
  readonly #options: PoolOptions;
  /** Requests that wait for a server, those that have been sent before in front. */
  readonly #waiting: Waiter[] = [];
  /** Those who wait for room, to send a request. */
  #eager: { resolve(): void; reject(error: unknown): void }[] = [];
  readonly #closed = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  /** When a server last answered, or came back. */
  #lastSign = performance.now();
  #failure: unknown;

  constructor(servers: readonly BatchServer[], options: PoolOptions = {}) {
    this.#members = servers.map((server) => new Member(server, options.maxInFlight ?? 64));
    this.#options = options;
    for (const member of this.#members) void this.#revive(member, false);
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /**
   * Resolves when a server has room for one more request. Requests that have to be sent again come first.
   * @throws NibbleError `io_error`, `unauthorized` where no server is left
   */
  room(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#eager.push({ resolve, reject });
      this.#dispatch();
    });
  }

  /**
   * The answer to a request, from whichever server has room. A server's failure is tried again, here or elsewhere.
   * @throws the signal's reason; NibbleError `io_error`, `unauthorized` where no server is left
   */
  async ask(question: Question, signal: AbortSignal = this.#closed.signal): Promise<PoolOutcome> {
    let failures = 0;
    for (let first = true; ; first = false) {
      const { member, place } = await this.#acquire(first, signal);
      const sent = await member.send(place, question, signal, (n) => this.#pause(n));
      this.#react(member, sent);
      if (sent.kind === "answered") return { ...sent.answer, server: member.server.name };
      if (sent.kind !== "failed" && sent.kind !== "cut") continue;
      if (++failures >= ATTEMPTS) return { ...outcomeOf(sent), server: member.server.name };
      if (sent.kind === "failed") await pause(this.#pause(failures), signal);
    }
  }

  /** Ends all requests and looks at no server any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#closed.abort(new NibbleError("disposed", "the pool of servers is closed"));
    this.#fail(this.#closed.signal.reason);
  }

  async #acquire(first: boolean, signal: AbortSignal): Promise<{ member: Member; place: object }> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const left = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        give: (member) => {
          signal.removeEventListener("abort", left);
          resolve({ member, place: member.reserve() });
        },
        fail: (error) => {
          signal.removeEventListener("abort", left);
          reject(error);
        },
      };
      signal.addEventListener("abort", left, { once: true });
      if (first) this.#waiting.push(waiter);
      else this.#waiting.unshift(waiter);
      this.#dispatch();
    });
  }

  /** Gives requests to the servers that have room, the emptiest first. */
  #dispatch(): void {
    for (let member = this.#emptiest(); member; member = this.#emptiest()) {
      const waiter = this.#waiting.shift();
      if (waiter) waiter.give(member);
      else {
        this.#eager.shift()?.resolve();
        break;
      }
    }
    if (this.#failure !== undefined) this.#fail(this.#failure);
  }

  #emptiest(): Member | undefined {
    return this.#members.filter(({ load }) => load !== undefined).sort((a, b) => a.load! - b.load!)[0];
  }

  #react(member: Member, sent: Sent): void {
    if (sent.kind === "answered") this.#lastSign = performance.now();
    else if (sent.kind === "refused") this.#leave(member, refusal(member.server.name, sent.status));
    else if (sent.kind === "cut" && member.up) {
      this.#note(`${member.server.name}: the connection was cut (${sent.reason}); it is asked again later`);
      void this.#revive(member, true);
    }
    this.#dispatch();
  }

  /**
   * Asks a server for a sign of life until it gives one. Requests that it still has go on, unless it stays silent: one cut
   * connection does not mean that the others are dead.
   * @param noted whether its return is worth a note although the first attempt succeeds
   */
  async #revive(member: Member, noted: boolean): Promise<void> {
    const { signal } = this.#closed;
    member.up = false;
    for (let n = 0; !signal.aborted; n++) {
      try {
        member.revive(await this.#probe(member));
        if (noted || n > 0) this.#note(`${member.server.name}: it answers`);
        this.#lastSign = performance.now();
        return this.#dispatch();
      } catch (error) {
        if (signal.aborted) return;
        if ((error as NibbleError).code === "unauthorized") return this.#leave(member, error);
        if (n === 0) this.#note(`${member.server.name}: it does not answer (${reasonOf(error)}); it is asked again`);
        else member.cutOff();
        await pause(this.#pause(n), signal).catch(() => {});
      }
    }
  }

  #probe({ server }: Member): Promise<number | undefined> {
    return server.probe(AbortSignal.any([this.#closed.signal, AbortSignal.timeout(PROBE_MS)]));
  }

  /** Leaves a server that will never answer. */
  #leave(member: Member, error: unknown): void {
    if (member.gone) return;
    member.gone = true;
    member.up = false;
    this.#note((error as Error).message);
    if (this.#members.every(({ gone }) => gone)) this.#fail(error);
    else this.#dispatch();
  }

  #tick(): void {
    const now = performance.now();
    const { waitMs = 60_000 } = this.#options;
    for (const member of this.#members) {
      const { age = 0 } = member;
      if (age > COMPUTING_MS) this.#lastSign = now;
      if (member.up && age > 0 && now - member.heard > SILENCE_MS * (member.silences + 1)) void this.#check(member);
    }
    if (now - this.#lastSign > waitMs && (this.#waiting.length > 0 || this.#eager.length > 0)) {
      const names = this.#members.map(({ server }) => server.name).join(", ");
      this.#fail(new NibbleError("io_error", `no server has answered for ${waitMs / 1000} s: ${names}`));
    } else this.#dispatch();
  }

  /** Asks a server that has been silent for a sign of life, and leaves it where that stays out repeatedly. */
  async #check(member: Member): Promise<void> {
    member.silences++;
    try {
      await this.#probe(member);
      member.heard = performance.now();
      member.silences = 0;
    } catch {
      if (this.#closed.signal.aborted || !member.up || member.silences < SILENCES) return;
      member.cutOff();
      void this.#revive(member, true);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting.splice(0)) waiter.fail(error);
    for (const { reject } of this.#eager.splice(0)) reject(error);
  }

  /** Milliseconds before attempt `n + 1`, drawn from the upper half so that many clients do not come at once. */
  #pause(n: number): number {
    const longest = Math.min(LONGEST_PAUSE, (this.#options.pauseMs ?? 500) * 2 ** Math.min(n, 20));
    return longest * (0.5 + Math.random() / 2);
  }

  #note(text: string): void {
    this.#options.onNote?.(text);
  }
}

function outcomeOf(sent: Sent & { kind: "failed" | "cut" }): Outcome {
  if (sent.kind === "failed") return sent.answer;
  const message = `no server answered this request in ${ATTEMPTS} attempts; the last connection was cut (${sent.reason})`;
  return { error: { code: "connection_error", message } };
}
