/**
 * Plans the batch of one step within the rows and pages that are free.
 * @module
 */
import type { AdapterScales, BatchItem, Executor, Sequence } from "../../runtime/types.ts";
import type { Holder } from "./prefix-cache.ts";

/** How hidden states become one embedding: their mean over the tokens, or the last one's. */
export type Pooling = "mean" | "last";

/** A request as the scheduler sees it: a list of tokens that grows by one whenever the job is given logits. */
export interface Job {
  /** Prompt and answer so far. */
  readonly tokens: readonly number[];
  readonly adapters?: AdapterScales | undefined;
  /**
   * The pooling of an embedding, which takes hidden states and ends with its prompt. Undefined if the job takes logits.
   */
  readonly pooling?: Pooling | undefined;
  /**
   * Whether the job takes a row for each of its tokens, not only for the last. Then none of them can come from the
   * cache.
   */
  readonly allRows?: boolean | undefined;
  /** Whether the job can run. It is false while the job's reader is behind; the job then keeps its place. */
  readonly ready: boolean;
  /** Up to `limit` tokens that it may choose next, to be checked in one step; see `PromptLookup.propose`. */
  draft(limit: number, price: (count: number) => number): readonly number[];
  /** Is called before its first rows run. The first `cached` tokens of the prompt come from the cache. */
  begin(cached: number): void;
  /** Is called after each step of the job's prefill. `processed` is the number of prompt tokens processed so far. */
  progress?(processed: number): void;
  /**
   * Takes the logits [vocabSize] after the token at `position`, and adds a token if that was its last one. An embedding
   * takes the hidden state [hiddenSize] of the token instead. The row is valid during the call only.
   * @returns true if the job has ended
   */
  accept(row: Float32Array, position: number): boolean;
  /** Is called after the scheduler has removed the job because of this error. */
  fail(error: unknown): void;
}

/** A job and its place in the cache. */
export class Entry implements Holder {
  readonly job: Job;
  sequence: Sequence | undefined;
  started = false;
  /** An entry that is computing the first `leaderLength` tokens of this one. This entry waits and then copies them. */
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
  /** For an answer in progress: its last token, and drafts of the next ones with logits "all". */
  readonly tokens: number[];
  logits: BatchItem["logits"];
}

/**
 * The time of a step with this number of rows, in units of a step of one row. Rows are computed in tiles of four.
 * Measured with the 140M shape in Q4_0 and SmolLM2 in Q4_1: 1 for one row, 1.5 for 2 to 4 rows, 2.2 up to 8, 2.9 up to
 * 12, 3.6 up to 16.
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

  /**
   * Pages that the planned items leave free. It is below 0 if a page that one of them writes has become shared since.
   */
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

  /** Tokens by which a sequence may still grow, beyond `planned` ones. */
  #room(sequence: Sequence, planned: number): number {
    const { pageTokens } = this.#executor;
    const length = sequence.length + planned;
    // A planned token has already copied the last page, if that page was shared.
    const copy = planned === 0 && length % pageTokens !== 0 ? sequence.pagesNeeded(1) : 0;
    return (this.freePages - copy + Math.ceil(length / pageTokens)) * pageTokens - length;
  }
}
