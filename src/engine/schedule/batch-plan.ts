/**
 * One step's batch, put together within the rows and pages that there are.
 * @module
 */
import type { AdapterScales, BatchItem, Executor, Sequence } from "../../runtime/types.ts";
import type { Holder } from "./prefix-cache.ts";

/** How hidden states become one embedding: their mean over the tokens, or the last one's. */
export type Pooling = "mean" | "last";

/** A request, as the scheduler sees it: tokens that grow by one whenever it is given logits. */
export interface Job {
  /** Prompt and answer so far. */
  readonly tokens: readonly number[];
  readonly adapters?: AdapterScales | undefined;
  /** Of an embedding, which ends with its prompt: which rows' hidden states it takes. Absent: it takes logits. */
  readonly pooling?: Pooling | undefined;
  /** It takes a row of each of its tokens that are not in the cache, not only of the last. */
  readonly allRows?: boolean | undefined;
  /** False while its reader is behind; it then keeps its place but is not run. */
  readonly ready: boolean;
  /** Up to `limit` tokens that it may choose next, to be checked in one step; see `PromptLookup.propose`. */
  draft(limit: number, price: (count: number) => number): readonly number[];
  /** Its first rows are about to run; so many tokens of the prompt were computed before, for others. */
  start(cached: number): void;
  /**
   * Takes the logits [vocabSize] after the token at `position`, and adds one if that is its last; an embedding: the hidden
   * state [hiddenSize] of that token. The row is valid during the call only. True: that was the last.
   */
  accept(row: Float32Array, position: number): boolean;
  /** It was removed because of this error. */
  fail(error: unknown): void;
}

/** A job and its place in the cache. */
export class Entry implements Holder {
  readonly job: Job;
  sequence: Sequence | undefined;
  started = false;
  /** Another one that is reading what this one begins with, up to `leaderLength`: it waits, then takes it over. */
  leader: Entry | undefined;
  leaderLength = 0;

  constructor(job: Job) {
    this.job = job;
  }

  get tokens(): readonly number[] {
    return this.job.tokens;
  }

  get adapters(): AdapterScales | undefined {
    return this.job.adapters;
  }

  /** Tokens that are not in the cache yet. */
  get pending(): number {
    return this.job.tokens.length - (this.sequence?.length ?? 0);
  }
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

export class BatchPlan {
  readonly items: Planned[] = [];
  readonly #executor: Executor;
  #rows: number;
  #logitRows: number;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#rows = executor.maxBatchTokens;
    this.#logitRows = executor.maxLogitRows;
  }

  /** Rows that may still be planned. */
  get rows(): number {
    return this.#logitRows > 0 ? this.#rows : 0;
  }

  /** Pages that the planned items leave; below 0 where a page that one of them writes has become shared. */
  get freePages(): number {
    const planned = this.items.reduce((sum, { sequence, tokens }) => sum + sequence.pagesNeeded(tokens.length), 0);
    return this.#executor.freePages - planned;
  }

  has(entry: Entry): boolean {
    return this.items.some((item) => item.entry === entry);
  }

  /** How many of the next `count` tokens of an entry, which has a sequence, fit. */
  fitting({ sequence, job }: Entry, count: number): number {
    if (count === 0) return 0;
    const rows = job.allRows ? Math.min(this.rows, this.#logitRows) : this.rows;
    return Math.max(0, Math.min(count, rows, this.#room(sequence!, 0)));
  }

  add(entry: Entry, count: number): void {
    const sequence = entry.sequence!;
    const { length } = sequence;
    const complete = count === entry.pending;
    const tokens = entry.job.tokens.slice(length, length + count);
    const all = entry.job.allRows ?? false;
    this.items.push({ entry, sequence, tokens, logits: all ? "all" : complete ? "last" : "none" });
    this.#rows -= count;
    if (all) this.#logitRows -= count;
    else if (complete) this.#logitRows--;
  }

  /** Adds drafts to answers in progress, in equal shares of the rows and pages that are left. */
  addDrafts(): void {
    const answers = this.items.filter(({ tokens, logits }) => tokens.length === 1 && logits === "last");
    const saved = stepTime(answers.length) / answers.length;
    let planned = this.items.reduce((sum, { tokens }) => sum + tokens.length, 0);
    for (const [i, item] of answers.entries()) {
      const { sequence, tokens, entry } = item;
      const rows = Math.ceil(Math.min(this.#rows, this.#logitRows) / (answers.length - i));
      const limit = Math.min(rows, this.#room(sequence, 1), this.#executor.contextLength - sequence.length - 1);
      const now = stepTime(planned);
      const draft = entry.job.draft(limit, (count) => (stepTime(planned + count) - now) / saved);
      planned += draft.length;
      tokens.push(...draft);
      item.logits = "all";
      this.#rows -= draft.length;
      this.#logitRows -= draft.length;
    }
  }

  /** Tokens that a sequence may still grow by, beyond `planned` ones. */
  #room(sequence: Sequence, planned: number): number {
    const { pageTokens } = this.#executor;
    const length = sequence.length + planned;
    // What is planned has copied the last page, if it is shared.
    const copy = planned === 0 && length % pageTokens !== 0 ? sequence.pagesNeeded(1) : 0;
    return (this.freePages - copy + Math.ceil(length / pageTokens)) * pageTokens - length;
  }
}
