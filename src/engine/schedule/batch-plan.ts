/**
 * Plans the batch of one step within the rows and pages that are free.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type AdapterScales, type BatchItem, type Executor, logitRows, type Sequence } from "../../runtime/types.ts";
import type { Price } from "./draft-account.ts";
import type { DraftedJob, DraftModel, DraftRequest } from "./draft-model.ts";
import type { Holder } from "./prefix-cache.ts";
import type { Sharing } from "./shared-prefix.ts";
import type { Times } from "./step-times.ts";

/**
 * How hidden states become one embedding: their mean over the tokens, the first one's (the CLS token of BERT) or the last
 * one's. With "none" they stay as they are, one per token.
 */
export type Pooling = "none" | "mean" | "cls" | "last";
export const POOLINGS: readonly Pooling[] = ["none", "mean", "cls", "last"];

/** A request as the scheduler sees it: a list of tokens that grows whenever the job is given logits. */
export interface Job extends DraftedJob, Sharing {
  /**
   * The pooling of an embedding, which takes hidden states and ends with its prompt. Undefined if the job takes logits.
   */
  readonly pooling?: Pooling | undefined;
  /** The token type of each token, for models that have them. */
  readonly types?: readonly number[] | undefined;
  /**
   * The job takes a row for each of its tokens from this one on, not only for the last. Only tokens before it can come
   * from the cache.
   */
  readonly firstRow?: number | undefined;
  /** Whether the answer has begun; it may go on by several tokens that need no logits. */
  readonly answering?: boolean;
  /** The only tokens whose logits the job reads in its next row; undefined: it may read all. */
  readonly readable?: readonly number[] | undefined;
  /** The same for the rows behind the tokens that `draft` gave last. */
  readonly draftReadable?: readonly number[] | undefined;
  /** Whether the job can run. It is false while the job's reader is behind; the job then keeps its place. */
  readonly ready: boolean;
  /** Up to `limit` tokens that it may choose next, to be checked in one step. */
  draft(limit: number, price: Price): readonly number[];
  /** Is called before its first rows run. The first `cached` tokens of the prompt come from the cache. */
  begin(cached: number): void;
  /** Is called after each step of the job's prefill. `processed` is the number of prompt tokens processed so far. */
  progress?(processed: number): void;
  /**
   * Takes the logits [vocabSize] after the token at `position`, and adds tokens if that was its last one. An embedding
   * takes the hidden state [hiddenSize] of the token instead. The row is valid during the call only.
   * @returns true if the job has ended
   */
  accept(row: Float32Array, position: number): boolean;
  /** Is called after the scheduler has removed the job because of this error. */
  fail(error: unknown): void;
}

/** Where more tokens are pending, the job reads a prompt, or reads its text again. */
const MOST_TOGETHER = 16;

/** A job and its place in the cache. */
export class Entry implements Holder {
  readonly job: Job;
  sequence: Sequence | undefined;
  started = false;
  /** An entry that is computing the first `leaderLength` tokens of this one. This entry waits and then copies them. */
  leader: Entry | undefined;
  leaderLength = 0;
  /** While drafts are checked: how many tokens of the sequence are known to be the job's. */
  right: number = Infinity;

  constructor(job: Job) {
    this.job = job;
  }

  get tokens(): readonly number[] {
    return this.job.tokens;
  }

  get adapters(): AdapterScales | undefined {
    return this.job.adapters;
  }

  get cacheSalt(): string | undefined {
    return this.job.cacheSalt;
  }

  /** The tokens that may come from the cache, and the one after them. */
  get reusable(): readonly number[] {
    const { firstRow, tokens } = this.job;
    return firstRow === undefined ? tokens : tokens.slice(0, firstRow + 1);
  }

  /** Tokens that are not in the cache yet. */
  get pending(): number {
    return this.job.tokens.length - (this.sequence?.length ?? 0);
  }

  /** Whether the next row goes on with an answer; its last tokens may have come together, without a step for each. */
  get isAnswering(): boolean {
    return this.pending === 1 || ((this.job.answering ?? false) && this.pending <= MOST_TOGETHER);
  }
}

export interface Planned extends BatchItem {
  readonly entry: Entry;
  /** Tokens to read; for an answer in progress, drafts of the next ones follow. */
  readonly tokens: number[];
  logits: BatchItem["logits"];
  /** The number of drafts. */
  drafts: number;
  /** The only tokens whose logits are read in its rows; undefined: any may be read. */
  readable: readonly number[] | undefined;
}

export class BatchPlan {
  readonly items: Planned[] = [];
  readonly #executor: Executor;
  readonly #times: Times;
  #rows: number;
  #logitRows: number;

  /** @param states whether the batch is for hidden states, which all rows may ask for */
  constructor(executor: Executor, times: Times, states = false) {
    this.#executor = executor;
    this.#times = times;
    this.#rows = executor.maxBatchTokens;
    this.#logitRows = states ? Infinity : executor.maxLogitRows;
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

  /** How many of the next `count` tokens of an entry, which has a sequence, the rows of the batch leave room for. */
  most({ sequence, job }: Entry, count: number): number {
    const { firstRow = Infinity } = job;
    const without = Math.max(0, firstRow - sequence!.length);
    return Math.min(count, this.rows, without + this.#logitRows);
  }

  /**
   * For how many of these tokens there are pages. A text whose tokens attend to all others fits as a whole or not at all.
   */
  fitting({ sequence }: Entry, count: number): number {
    if (count === 0) return 0;
    const fits = Math.max(0, Math.min(count, this.#room(sequence!, 0)));
    return this.#executor.bidirectional && fits < count ? 0 : fits;
  }

  add(entry: Entry, count: number): void {
    const sequence = entry.sequence!;
    const { length } = sequence;
    const complete = count === entry.pending;
    const tokens = entry.job.tokens.slice(length, length + count);
    const { firstRow, pooling, readable } = entry.job;
    const one = pooling === "cls" ? length === 0 && "first" : complete && "last";
    const logits = firstRow === undefined ? one || "none" : rowsFrom(firstRow, length, count);
    const types = entry.job.types?.slice(length, length + count);
    this.items.push({ entry, sequence, tokens, logits, types, drafts: 0, readable });
    this.#rows -= count;
    this.#logitRows -= logitRows({ tokens, logits });
  }

  /**
   * Adds drafts to answers in progress, in equal shares of the rows and pages that are left. What a job can draft by itself
   * comes first; the draft model works for the others, and reads the texts of all.
   */
  addDrafts(model?: DraftModel): void {
    const answers = this.items.filter(isAnswer);
    const rest: Planned[] = [];
    for (const [i, item] of answers.entries()) {
      const { job } = item.entry;
      const draft = job.draft(this.#draftLimit(item, answers.length - i), this.#price(answers));
      this.#addDraft(item, draft, job.draftReadable);
      if (draft.length === 0) rest.push(item);
    }
    if (model) this.#addModelDrafts(rest, model);
  }

  #addModelDrafts(answers: readonly Planned[], model: DraftModel): void {
    model.read(this.items.map(({ entry }) => entry.job));
    const rows = Math.floor(Math.min(this.#rows, this.#logitRows) / answers.length);
    const price = this.#price(answers);
    const requests = answers.map((item): DraftRequest => {
      return { job: item.entry.job, limit: Math.min(rows, this.#draftLimit(item, 1)), price };
    });
    for (const [i, draft] of model.draft(requests).entries()) {
      const item = answers[i]!;
      // Others may have taken the pages.
      this.#addDraft(item, draft.slice(0, this.#draftLimit(item, 1)));
    }
  }

  /** Most drafts of an answer, if as many answers as `sharing` have none yet. */
  #draftLimit({ sequence, tokens }: Planned, sharing: number): number {
    const rows = Math.ceil(Math.min(this.#rows, this.#logitRows) / sharing);
    const { contextLength, maxDrafts } = this.#executor;
    const length = sequence.length + tokens.length;
    return Math.max(0, Math.min(rows, this.#room(sequence, tokens.length), contextLength - length, maxDrafts));
  }

  /** The price of drafts beside what is planned so far. */
  #price(answers: readonly Planned[]): Price {
    const planned = countRows(this.items);
    const times = this.#times[readableTokens(this.items) ? "some" : "all"];
    const now = times.of(planned);
    const saved = times.of(answers.length) / answers.length;
    return (count) => (times.of(planned + count) - now) / saved;
  }

  #addDraft(item: Planned, draft: readonly number[], readable?: readonly number[]): void {
    if (draft.length === 0) return;
    item.tokens.push(...draft);
    item.drafts = draft.length;
    item.logits = 1 + draft.length;
    item.readable = item.readable && readable && [...item.readable, ...readable];
    this.#rows -= draft.length;
    this.#logitRows -= draft.length;
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

/** The rows from token `first` on, of the `count` tokens that follow `length` ones. */
function rowsFrom(first: number, length: number, count: number): BatchItem["logits"] {
  const rows = length + count - Math.max(first, length);
  return rows <= 0 ? "none" : rows === count ? "all" : rows;
}

/** The rows of a step in which answers alone run; 0 if a prompt is read, too. */
export function answerRows(batch: readonly Planned[]): number {
  return batch.every(isAnswer) ? countRows(batch) : 0;
}

function countRows(batch: readonly Planned[]): number {
  return batch.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** The tokens whose logits a batch is for; undefined if there is a row of which any may be read. */
export function readableTokens(batch: readonly Planned[]): readonly number[] | undefined {
  const rows = batch.filter(({ logits }) => logits !== "none");
  return rows.every(({ readable }) => readable) ? rows.flatMap(({ readable }) => readable!) : undefined;
}

/** Whether an item ends with the last token of an answer in progress, so that drafts may follow. */
export function isAnswer({ tokens, drafts, logits, entry }: Planned): boolean {
  return logits !== "none" && logits !== "all" && (tokens.length - drafts === 1 || (entry.job.answering ?? false));
}

/** The error of an entry that does not fit even alone. */
export function noPages({ job, sequence }: Entry, { freePages, pageTokens }: Executor): NibbleError {
  const free = freePages * pageTokens + (sequence ? Math.ceil(sequence.length / pageTokens) * pageTokens : 0);
  return new NibbleError(
    "context_full",
    `the KV cache has room for ${free} tokens, this request needs ${job.tokens.length}; ` +
      "sessions that are no longer needed hold pages until they are disposed",
  );
}
