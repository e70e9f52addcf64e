/**
 * One step's batch, put together within the rows and pages that there are.
 * @module
 */
import type { BatchItem, Executor, Sequence } from "../runtime/types.ts";

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

/** A job and its place in the cache. */
export interface Entry {
  readonly job: Job;
  sequence: Sequence | undefined;
  started: boolean;
}

export interface Planned extends BatchItem {
  readonly entry: Entry;
}

/** Tokens that are not in the cache yet. */
export function pending({ job, sequence }: Entry): number {
  return job.tokens.length - (sequence?.length ?? 0);
}

export class BatchPlan {
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
