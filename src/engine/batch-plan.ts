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
  /** Up to `limit` tokens that it may choose next, to be checked in one step; see `PromptLookup.propose`. */
  draft(limit: number, price: (count: number) => number): readonly number[];
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
  /** Of an answer in progress: its last token, and drafts of the next ones, with logits "all". */
  readonly tokens: number[];
  logits: BatchItem["logits"];
}

/**
 * How long a step of so many rows takes, in steps of one row: rows are computed in tiles of four. Measured: 1, 1.5 (2 to
 * 4 rows), 2.2 (to 8), 2.9 (to 12), 3.6 (to 16) with 140M in Q4_0 and SmolLM2 in Q4_1.
 */
function stepTime(rows: number): number {
  return rows === 1 ? 1 : 0.8 + 0.7 * Math.ceil(rows / 4);
}

/** Tokens that are not in the cache yet. */
export function pending({ job, sequence }: Entry): number {
  return job.tokens.length - (sequence?.length ?? 0);
}

export class BatchPlan {
  readonly items: Planned[] = [];
  freePages: number;
  readonly #pageTokens: number;
  readonly #contextLength: number;
  #rows: number;
  #logitRows: number;

  constructor({ freePages, pageTokens, contextLength, maxBatchTokens, maxLogitRows }: Executor) {
    this.freePages = freePages;
    this.#pageTokens = pageTokens;
    this.#contextLength = contextLength;
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
    return Math.max(0, Math.min(count, this.#rows, this.#room(length)));
  }

  add(entry: Entry, count: number): void {
    const length = entry.sequence!.length;
    const complete = count === pending(entry);
    const tokens = entry.job.tokens.slice(length, length + count);
    this.items.push({ entry, sequence: entry.sequence!, tokens, logits: complete ? "last" : "none" });
    this.#take(length, count);
    if (complete) this.#logitRows--;
  }

  /** Adds drafts to answers in progress, in equal shares of the rows and pages that are left. */
  addDrafts(): void {
    const answers = this.items.filter(({ tokens, logits }) => tokens.length === 1 && logits === "last");
    const saved = stepTime(answers.length) / answers.length;
    let planned = this.items.reduce((sum, { tokens }) => sum + tokens.length, 0);
    for (const [i, item] of answers.entries()) {
      const length = item.sequence.length + 1;
      const rows = Math.ceil(Math.min(this.#rows, this.#logitRows) / (answers.length - i));
      const limit = Math.min(rows, this.#room(length), this.#contextLength - length);
      const now = stepTime(planned);
      const draft = item.entry.job.draft(limit, (count) => (stepTime(planned + count) - now) / saved);
      planned += draft.length;
      item.tokens.push(...draft);
      item.logits = "all";
      this.#take(length, draft.length);
      this.#logitRows -= draft.length;
    }
  }

  /** Tokens that a sequence of this length may still grow by. */
  #room(length: number): number {
    return (this.freePages + Math.ceil(length / this.#pageTokens)) * this.#pageTokens - length;
  }

  #take(length: number, count: number): void {
    const pages = (tokens: number) => Math.ceil(tokens / this.#pageTokens);
    this.freePages -= pages(length + count) - pages(length);
    this.#rows -= count;
  }
}
