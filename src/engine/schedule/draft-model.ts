/**
 * Drafts from a second, smaller model of the same vocabulary. It reads the text of each request beside the model itself,
 * and then guesses the next tokens of all requests in common steps.
 *
 * Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023. Random numbers depend
 * on the position alone here, so that a draft is right if the model's own sampler chooses the same token, and needs no
 * acceptance test of its own.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Executor, Sequence } from "../../runtime/types.ts";
import type { Guess } from "../sample/guess.ts";
import type { DraftAccount, Price } from "./draft-account.ts";
import type { Holder, PrefixCache } from "./prefix-cache.ts";
import { sharedLength } from "./shared-prefix.ts";

/** Guesses the tokens of one answer, one after the other. */
export interface DraftGuesser {
  /** Whether nothing may follow the guesses so far. */
  readonly done: boolean;
  /** A guess that needs no logits; undefined if there is none. */
  known(): Guess | undefined;
  /** A guess by the draft model's logits behind the guesses so far. */
  guess(logits: Float32Array): Guess;
  /** Takes a guess, so that the next one follows it. */
  accept(id: number): void;
}

/** A request's side of the drafts that a draft model makes for it. */
export interface Drafting {
  readonly account: DraftAccount;
  /** Most tokens of a draft. */
  readonly max: number;
  /** Drafts that break off earlier are not used; so many tokens are checked whatever they cost. */
  readonly min: number;
  /** A draft breaks off before the first token whose guess seems less likely. */
  readonly minProbability: number;
  guesser(): DraftGuesser;
}

/** A request that the draft model works for. */
export interface DraftedJob {
  /** Prompt and answer so far. */
  readonly tokens: readonly number[];
  /** Separates it from others that the draft model works for, as `Sharing` says. */
  readonly cacheSalt?: string | undefined;
  readonly drafting?: Drafting | undefined;
}

/** A draft that is asked for. */
export interface DraftRequest {
  readonly job: DraftedJob;
  readonly limit: number;
  readonly price: Price;
}

/** Tokens that may be unread where a draft begins; more are read first, in a step of their own. */
const UNREAD = 16;

interface Reader extends Holder {
  readonly tokens: number[];
  readonly sequence: Sequence;
}

/** A draft in the making. */
interface Draft {
  readonly request: DraftRequest;
  readonly drafting: Drafting;
  readonly reader: Reader;
  readonly guesser: DraftGuesser;
  readonly limit: number;
  readonly tokens: number[];
  readonly probabilities: number[];
  /** The probability that all tokens so far are right. */
  chance: number;
  /** Rows that the draft model has computed for it. */
  rows: number;
  open: boolean;
}

export interface DraftModelOptions {
  /** The time of a row of the draft model, in units of a row of the model itself. */
  readonly cost: number;
  /** The number of tokens that the model itself has. The two may differ in unused tokens at the end. */
  readonly vocabSize: number;
  /** Most rows of prompts in one step. */
  readonly chunkTokens: number;
}

export class DraftModel {
  readonly #executor: Executor;
  readonly #prefixes: PrefixCache;
  readonly #options: DraftModelOptions;
  readonly #readers = new Map<DraftedJob, Reader>();
  readonly #padded: Float32Array | undefined;
  #failed = false;

  constructor(executor: Executor, prefixes: PrefixCache, options: DraftModelOptions) {
    this.#executor = executor;
    this.#prefixes = prefixes;
    this.#options = options;
    const { vocabSize } = options;
    // Tokens that only the model has are never likely.
    if (executor.vocabSize < vocabSize) this.#padded = new Float32Array(vocabSize).fill(-3e38);
  }

  /** Reads the texts of jobs, at most a chunk in all, where more tokens are unread than a draft can begin with. */
  read(jobs: readonly DraftedJob[]): void {
    this.#guarded(() => {
      let rows = Math.min(this.#options.chunkTokens, this.#executor.maxBatchTokens);
      const batch: { reader: Reader; tokens: readonly number[] }[] = [];
      for (const job of jobs) {
        const reader = job.drafting && rows > 0 ? this.#readerOf(job) : undefined;
        const from = reader?.tokens.length ?? 0;
        if (!reader || job.tokens.length - from <= UNREAD) continue;
        const tokens = job.tokens.slice(from, Math.min(from + rows, job.tokens.length - 1));
        if (!this.#fits(reader, tokens, batch)) continue;
        batch.push({ reader, tokens });
        rows -= tokens.length;
      }
      this.#forward(batch, "none");
    });
  }

  /** The drafts of some requests, in their order. */
  draft(requests: readonly DraftRequest[]): (readonly number[])[] {
    const drafts = new Map<DraftRequest, Draft>();
    this.#guarded(() => {
      for (const request of requests.slice(0, this.#executor.maxLogitRows)) {
        const draft = this.#begin(request);
        if (draft) drafts.set(request, draft);
      }
      this.#guess([...drafts.values()]);
    });
    return requests.map((request) => {
      const draft = drafts.get(request);
      const tokens = draft ? this.#worth(draft) : [];
      const cost = request.price(tokens.length) + this.#options.cost * (draft?.rows ?? 0);
      request.job.drafting?.account.pay(tokens, cost, draft?.probabilities);
      return tokens;
    });
  }

  /** Ends the work for a job. What it has read is kept for others. */
  release(job: DraftedJob): void {
    const reader = this.#readers.get(job);
    if (!reader) return;
    this.#readers.delete(job);
    this.#prefixes.retire(reader);
  }

  #begin(request: DraftRequest): Draft | undefined {
    const { job, price } = request;
    const { drafting } = job;
    const limit = Math.min(request.limit, drafting?.max ?? 0, this.#executor.contextLength - job.tokens.length);
    if (!drafting || limit <= 0 || limit < drafting.min) return undefined;
    const { cost } = this.#options;
    if (drafting.min === 0 && drafting.account.budget < price(1) + cost) return undefined;
    const reader = this.#readerOf(job);
    if (!reader || job.tokens.length - reader.tokens.length > UNREAD) return undefined;
    const state = { tokens: [], probabilities: [], chance: 1, rows: 0, open: true };
    return { request, drafting, reader, limit, guesser: drafting.guesser(), ...state };
  }

  /** Extends drafts in common steps until each breaks off. */
  #guess(drafts: readonly Draft[]): void {
    for (;;) {
      for (const draft of drafts) this.#guessKnown(draft);
      const batch: { draft: Draft; reader: Reader; tokens: readonly number[] }[] = [];
      for (const draft of drafts) {
        if (!draft.open) continue;
        const { reader } = draft;
        const tokens = [...draft.request.job.tokens, ...draft.tokens].slice(reader.tokens.length);
        if (this.#fits(reader, tokens, batch)) batch.push({ draft, reader, tokens });
        else draft.open = false;
      }
      if (batch.length === 0) return;
      for (const [i, row] of this.#forward(batch, "last").entries()) {
        const { draft, tokens } = batch[i]!;
        draft.rows += tokens.length;
        const guess = draft.guesser.guess(this.#rowOf(row));
        if (guess.probability < draft.drafting.minProbability) draft.open = false;
        else this.#add(draft, guess);
      }
    }
  }

  #guessKnown(draft: Draft): void {
    while (draft.open) {
      const known = draft.guesser.known();
      if (!known) return;
      this.#add(draft, known);
    }
  }

  #add(draft: Draft, { id, probability }: Guess): void {
    const { tokens, guesser, limit, drafting, request } = draft;
    tokens.push(id);
    draft.probabilities.push(probability);
    draft.chance *= drafting.account.expected(probability);
    guesser.accept(id);
    const least = this.#options.cost + request.price(limit) / limit;
    const promising = tokens.length < drafting.min || draft.chance > least;
    draft.open = tokens.length < limit && promising && !guesser.done && id < this.#executor.vocabSize;
  }

  /** The beginning of a draft that is worth checking. */
  #worth({ tokens, probabilities, drafting, request }: Draft): readonly number[] {
    if (tokens.length < drafting.min) return [];
    const count = drafting.account.worth(probabilities, request.price);
    return tokens.slice(0, Math.max(count, drafting.min));
  }

  /** The place of a job's text in the cache, with the tokens that are read and still right. */
  #readerOf(job: DraftedJob): Reader | undefined {
    const known = this.#readers.get(job);
    if (known) {
      const { tokens, sequence } = known;
      const length = sharedLength(tokens, job.tokens, Math.min(tokens.length, job.tokens.length - 1));
      if (length < sequence.length) sequence.truncate(length);
      tokens.length = sequence.length;
      return known;
    }
    const { cacheSalt } = job; // The draft model applies no adapters.
    const sequence = this.#prefixes.acquire(job.tokens, { cacheSalt });
    const reader = { tokens: job.tokens.slice(0, sequence.length), sequence, cacheSalt };
    this.#prefixes.register(reader);
    this.#readers.set(job, reader);
    return reader;
  }

  /** Whether a sequence can take these tokens, together with those of the batch. */
  #fits({ sequence }: Reader, tokens: readonly number[], batch: readonly Reading[]): boolean {
    const { contextLength, vocabSize, maxBatchTokens } = this.#executor;
    const rows = batch.reduce((sum, one) => sum + one.tokens.length, tokens.length);
    if (sequence.length + tokens.length > contextLength || rows > maxBatchTokens) return false;
    if (tokens.some((id) => id >= vocabSize)) return false;
    const planned = batch.reduce((sum, one) => sum + one.reader.sequence.pagesNeeded(one.tokens.length), 0);
    const missing = () => planned + sequence.pagesNeeded(tokens.length) > this.#executor.freePages;
    while (missing() && this.#prefixes.reclaim());
    return !missing();
  }

  #forward(batch: readonly Reading[], logits: "none" | "last"): Float32Array[] {
    if (batch.length === 0) return [];
    const items = batch.map(({ reader, tokens }) => ({ sequence: reader.sequence, tokens, logits }));
    const rows = this.#executor.forward(items);
    for (const { reader, tokens } of batch) reader.tokens.push(...tokens);
    return rows;
  }

  /** A row of logits [vocabSize of the model itself]. */
  #rowOf(row: Float32Array): Float32Array {
    if (!this.#padded) return row.subarray(0, this.#options.vocabSize);
    this.#padded.set(row);
    return this.#padded;
  }

  /**
   * Runs an action. Where the draft model cannot go on, there are no drafts, and answers are the same. A draft model that
   * has trapped or is disposed makes none any more.
   */
  #guarded(action: () => void): void {
    if (this.#failed) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof NibbleError)) throw error;
      this.#failed = error.code === "poisoned" || error.code === "disposed";
    }
  }
}

interface Reading {
  readonly reader: Reader;
  readonly tokens: readonly number[];
}
