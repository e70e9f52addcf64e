/**
 * Runs many requests on one model: every step makes one batch of one row for each answer in progress and a chunk of
 * prompt, then lets the host run. Logits do not depend on what shares a batch or how a prompt is cut, so any schedule
 * gives the same tokens.
 * @module
 */
import { NibbleError } from "../errors.ts";
import type { BatchItem, Executor, Sequence } from "../runtime/types.ts";
import { type HostTurns, hostTurns } from "./host-turn.ts";

/** A request, as the scheduler sees it: tokens that grow by one whenever it is given logits. */
export interface Job {
  /** Prompt and answer so far. */
  readonly tokens: readonly number[];
  /** False while its reader is behind; it then keeps its place but is not run. */
  readonly ready: boolean;
  /** Its first rows are about to run. */
  start(): void;
  /** Takes logits [vocabSize] (valid during the call only) and adds a token. True: that was the last. */
  accept(logits: Float32Array): boolean;
  /** It was removed because of this error. */
  fail(error: unknown): void;
}

export interface SchedulerOptions {
  /** Prompt rows in one step, over all requests (default 64): bounds how long a step takes. */
  readonly chunkTokens?: number | undefined;
  /** For tests: how to let the host run. */
  readonly turns?: (() => HostTurns) | undefined;
}

interface Entry {
  readonly job: Job;
  sequence: Sequence | undefined;
  started: boolean;
}

interface Planned extends BatchItem {
  readonly entry: Entry;
}

export class Scheduler {
  readonly #executor: Executor;
  readonly #chunkTokens: number;
  readonly #turns: () => HostTurns;
  /** Oldest first. */
  #entries: Entry[] = [];
  #turn = 0;
  #running = false;

  constructor(executor: Executor, options: SchedulerOptions = {}) {
    this.#executor = executor;
    this.#chunkTokens = options.chunkTokens ?? 64;
    this.#turns = options.turns ?? hostTurns;
  }

  /** Requests that have not ended. */
  get size(): number {
    return this.#entries.length;
  }

  add(job: Job): void {
    this.#entries.push({ job, sequence: undefined, started: false });
    this.wake();
  }

  /** Takes a job out and gives its pages back; nothing happens if it is not in. */
  remove(job: Job): void {
    const index = this.#entries.findIndex((entry) => entry.job === job);
    if (index < 0) return;
    this.#release(this.#entries[index]!);
    this.#entries.splice(index, 1);
    this.wake(); // others may have waited for the pages
  }

  /** A job has become ready. */
  wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  /** Ends all requests with an error. */
  failAll(error: unknown): void {
    for (const entry of this.#entries.splice(0)) {
      this.#release(entry);
      entry.job.fail(error);
    }
  }

  async #run(): Promise<void> {
    const turns = this.#turns();
    try {
      // The first turn comes before the first step, so that requests made together run together.
      for (let batch: Planned[]; ; this.#execute(batch)) {
        await turns.next();
        batch = this.#plan();
        if (batch.length === 0) break;
      }
    } catch (error) {
      this.failAll(error);
    } finally {
      turns.close();
      this.#running = false;
    }
  }

  #execute(batch: readonly Planned[]): void {
    let rows: Float32Array[];
    try {
      for (const { entry } of batch) {
        if (!entry.started) entry.job.start();
        entry.started = true;
      }
      rows = this.#executor.forward(batch);
    } catch (error) {
      const ended = error instanceof NibbleError && (error.code === "poisoned" || error.code === "disposed");
      if (ended) this.failAll(error);
      else if (batch.length === 1) this.#fail(batch[0]!.entry, error);
      else for (const item of batch) this.#execute([item]); // no sequence has changed: find whose error it is
      return;
    }
    let row = 0;
    for (const { entry, logits } of batch) {
      if (logits === "none") continue;
      try {
        if (entry.job.accept(rows[row++]!)) this.remove(entry.job);
      } catch (error) {
        this.#fail(entry, error);
      }
    }
  }

  /**
   * One request goes first, another one each step, so that none waits for ever. Then answers in progress, one row each,
   * then prompts, as many rows as the chunk has left.
   */
  #plan(): Planned[] {
    const ready = this.#entries.filter(({ job }) => job.ready);
    const first = this.#turn++ % Math.max(1, ready.length);
    const order = [...ready.slice(first), ...ready.slice(0, first)];
    const rank = (entry: Entry) => (entry === order[0] ? 0 : pending(entry) === 1 ? 1 : 2);
    order.sort((a, b) => rank(a) - rank(b));

    const plan = new Plan(this.#executor);
    let chunk = this.#chunkTokens;
    for (const entry of order) {
      const rows = pending(entry);
      if (rows === 1) this.#take(plan, entry, 1);
      else chunk -= this.#take(plan, entry, Math.min(chunk, rows));
    }

    // Nothing fits. The oldest may push out all others, so what is missing is held outside of the scheduler.
    const oldest = ready[0];
    if (plan.items.length === 0 && oldest) {
      if (this.#take(plan, oldest, Math.min(this.#chunkTokens, pending(oldest)), true) === 0) {
        this.#fail(oldest, noPages(oldest, this.#executor));
        return this.#plan();
      }
    }
    return plan.items;
  }

  /** Plans up to `count` tokens of an entry; gives how many fit. */
  #take(plan: Plan, entry: Entry, count: number, force = false): number {
    const need = Math.ceil((entry.job.tokens.length + 1) / this.#executor.pageTokens);
    // Who would soon be pushed out again does not start: with others running, all of a prompt must fit.
    if (!entry.sequence && need > plan.freePages && !force && this.#entries.some(({ sequence }) => sequence)) return 0;
    let fits = plan.fitting(entry, count);
    while (fits === 0 && count > 0 && plan.hasRows && this.#evict(plan, entry)) fits = plan.fitting(entry, count);
    if (fits === 0) return 0;
    entry.sequence ??= this.#executor.createSequence();
    plan.add(entry, fits);
    return fits;
  }

  /** Pushes someone out for `entry`: a job that is not being read, else the youngest. It will be computed again. */
  #evict(plan: Plan, entry: Entry): boolean {
    const age = this.#entries.indexOf(entry);
    const holders = this.#entries.filter((other) => other.sequence && other !== entry && !plan.has(other));
    const victim =
      holders.findLast(({ job }) => !job.ready) ?? holders.findLast((other) => this.#entries.indexOf(other) > age);
    if (!victim) return false;
    const before = this.#executor.freePages;
    this.#release(victim);
    plan.freePages += this.#executor.freePages - before;
    return true;
  }

  #fail(entry: Entry, error: unknown): void {
    this.remove(entry.job);
    entry.job.fail(error);
  }

  #release(entry: Entry): void {
    entry.sequence?.dispose();
    entry.sequence = undefined;
  }
}

/** A batch being put together, within rows and pages. */
class Plan {
  readonly items: Planned[] = [];
  freePages: number;
  readonly #pageTokens: number;
  #rows: number;
  #logitRows: number;

  constructor({ freePages, pageTokens, maxBatchTokens, maxLogitRows }: Executor) {
    this.freePages = freePages;
    this.#pageTokens = pageTokens;
    this.#rows = maxBatchTokens;
    this.#logitRows = maxLogitRows;
  }

  get hasRows(): boolean {
    return this.#rows > 0 && this.#logitRows > 0;
  }

  has(entry: Entry): boolean {
    return this.items.some((item) => item.entry === entry);
  }

  /** How many of the next `count` tokens fit. */
  fitting(entry: Entry, count: number): number {
    if (!this.hasRows) return 0;
    const length = entry.sequence?.length ?? 0;
    const room = (this.freePages + Math.ceil(length / this.#pageTokens)) * this.#pageTokens - length;
    return Math.max(0, Math.min(count, this.#rows, room));
  }

  add(entry: Entry, count: number): void {
    const length = entry.sequence!.length;
    const pages = (tokens: number) => Math.ceil(tokens / this.#pageTokens);
    const complete = count === pending(entry);
    const tokens = entry.job.tokens.slice(length, length + count);
    this.items.push({ entry, sequence: entry.sequence!, tokens, logits: complete ? "last" : "none" });
    this.freePages -= pages(length + count) - pages(length);
    this.#rows -= count;
    if (complete) this.#logitRows--;
  }
}

/** Tokens that are not in the cache yet. */
function pending({ job, sequence }: Entry): number {
  return job.tokens.length - (sequence?.length ?? 0);
}

function noPages({ job, sequence }: Entry, { freePages, pageTokens }: Executor): NibbleError {
  const free = freePages * pageTokens + (sequence ? Math.ceil(sequence.length / pageTokens) * pageTokens : 0);
  return new NibbleError(
    "context_full",
    `the KV cache has room for ${free} tokens, this request needs ${job.tokens.length}; ` +
      "sessions that are no longer needed hold pages until they are disposed",
  );
}
