/**
 * Generates one answer: it takes prompt ids, and gives a stream of tokens with their text.
 * @module
 */
import type { AdapterScales } from "../../runtime/types.ts";
import { type Logprobs, logprobs } from "../sample/logprobs.ts";
import type { Job } from "../schedule/batch-plan.ts";
import type { Price } from "../schedule/draft-account.ts";
import type { Drafting } from "../schedule/draft-model.ts";
import { EventQueue } from "../schedule/event-queue.ts";
import { now } from "../schedule/host-turn.ts";
import { joinedSalt } from "../schedule/shared-prefix.ts";
import { AnswerText } from "./answer-text.ts";
import { Chooser } from "./chooser.ts";
import { Drafts } from "./drafts.ts";
import type { Engine } from "./engine.ts";
import type { AnswerEvent, FinishEvent, TokenEvent, Usage } from "./events.ts";
import type { GenerationSettings } from "./settings.ts";
import { StopMatcher } from "./stop.ts";
import { type Timings, timingsOf } from "./timings.ts";

/** Events that may wait for the reader before generation pauses. */
const MAX_UNREAD = 64;

/**
 * Starts a request. The iterator ends after a `finish` event; leaving it early, or the signal, ends the request and
 * gives its pages back. It rejects with the signal's reason, `non_finite_logits`, `context_full`, `disposed` or
 * `poisoned`.
 */
export function generate(engine: Engine, settings: GenerationSettings): AsyncIterableIterator<AnswerEvent> {
  return new Generation(engine, settings).events;
}

class Generation implements Job {
  /** The model's context: the prompt and the answer so far, without the tokens that shifts have removed. */
  readonly tokens: number[];
  /** All tokens of the prompt and the answer. */
  readonly #history: number[];
  readonly events: EventQueue<AnswerEvent>;
  readable: readonly number[] | undefined;
  readonly #engine: Engine;
  readonly #options: GenerationSettings;
  readonly #chooser: Chooser;
  /** Log-probabilities of the prompt's tokens, where they are asked for. */
  readonly #scores: Logprobs[] | undefined;
  readonly #drafts: Drafts;
  readonly #text: AnswerText;
  readonly #stops: StopMatcher;
  readonly #maxTokens: number;
  readonly #abort: () => void;
  /** Tokens of the answer. */
  #count = 0;
  #textLength = 0;
  #cached = 0;
  #startTime = 0;
  #firstTime = 0;

  constructor(engine: Engine, options: GenerationSettings) {
    const { scheduler, tokenizer, executor } = engine;
    const { signal, maxTokens = Infinity, contextShift } = options;
    this.#engine = engine;
    this.#options = options;
    this.tokens = [...options.prompt];
    this.#history = contextShift ? [...options.prompt] : this.tokens;
    this.#scores = options.promptLogprobs === undefined ? undefined : [];
    this.#chooser = new Chooser(options, engine, this.#history);
    this.#drafts = new Drafts(options, engine, { tokens: this.#history, chooser: this.#chooser });
    this.#text = new AnswerText(tokenizer, options.shown);
    this.#stops = new StopMatcher(options.stop ?? []);
    const room = contextShift ? Infinity : executor.contextLength - options.prompt.length;
    this.#maxTokens = Math.min(maxTokens, room);
    this.events = new EventQueue(
      () => scheduler.wake(this),
      () => this.#leave(),
    );
    this.#abort = () => {
      this.#leave();
      this.events.fail(signal!.reason);
    };
    if (signal?.aborted) {
      this.events.fail(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.#abort);
    scheduler.add(this);
  }

  get adapters(): AdapterScales | undefined {
    return this.#options.adapters;
  }

  get cacheSalt(): string | undefined {
    return joinedSalt(this.#engine.cacheSalt, this.#options.cacheSalt);
  }

  get ready(): boolean {
    return this.events.size < MAX_UNREAD;
  }

  get answering(): boolean {
    return this.#count > 0;
  }

  get drafting(): Drafting | undefined {
    return this.#maxTokens - this.#count > 1 ? this.#drafts.byModel : undefined;
  }

  get firstRow(): number | undefined {
    return this.#scores !== undefined && this.#count === 0 ? 0 : undefined;
  }

  begin(cached: number): void {
    if (this.#count > 0) return; // The job begins again after a context shift.
    this.#startTime = now();
    this.#cached = cached;
  }

  progress(processed: number): void {
    if (!this.#options.promptProgress || this.#count > 0) return;
    const total = this.#options.prompt.length;
    const read = Math.min(processed, total);
    const time_ms = now() - this.#startTime;
    this.events.push({ type: "progress", total, cache: this.#cached, processed: read, time_ms });
  }

  draft(limit: number, price: Price): readonly number[] {
    return this.#drafts.propose(Math.min(limit, this.#maxTokens - this.#count - 1), price);
  }

  get draftReadable(): readonly number[] | undefined {
    return this.readable && this.#drafts.readable;
  }

  accept(logits: Float32Array, position: number): boolean {
    const { prompt, logprobs: k } = this.#options;
    if (this.#scores && position < prompt.length - 1) return this.#score(this.#scores, logits, position);
    if (this.#count === 0) this.#beginAnswer();
    if (this.#maxTokens === 0) return this.#finish("length");
    if (this.#take(this.#chooser.choose(logits), logits)) return true;
    if (k === undefined && this.#takeOnly()) return true;
    if (this.#isFull) this.#shift();
    return false;
  }

  /**
   * Takes the tokens that alone may come, which need no logits, and finds those whose logits are needed next.
   * Log-probabilities, where they are asked for, need all.
   */
  #takeOnly(): boolean {
    for (;;) {
      this.readable = this.#chooser.few();
      if (this.readable?.length !== 1 || !this.ready || this.#isFull) return false;
      this.#chooser.takeOnly();
      if (this.#take(this.readable[0]!)) return true;
    }
  }

  get #isFull(): boolean {
    return this.tokens.length >= this.#engine.executor.contextLength;
  }

  /**
   * Takes the next token.
   * @param logits that it was chosen by, if any
   * @returns true if it ends the answer
   */
  #take(id: number, logits?: Float32Array): boolean {
    const { endIds } = this.#options;
    this.#append(id);
    const end = endIds.has(id);
    const complete = end || this.#chooser.done;
    const last = complete || this.#count >= this.#maxTokens;
    const { offset, text, stop } = this.#write(end ? undefined : id, last);
    const scores = logits ? this.#scoresOf(id, logits) : {};
    this.events.push({ type: "token", id, text, offset, end, logprobs: undefined, ...scores, ...this.#figures() });
    const stopped = stop !== undefined;
    if (!last && !stopped) return false;
    // As in llama.cpp and vLLM, an answer that reaches the limit ends with "length" unless its last token is an end
    // token, even if its grammar is complete.
    const cut = !end && !stopped && this.#count >= this.#maxTokens;
    return this.#finish(cut ? "length" : "stop", stop);
  }

  #beginAnswer(): void {
    this.#firstTime = now();
    if (this.#scores) this.events.push({ type: "prompt", logprobs: this.#scores });
  }

  /** What a token event tells of the answer so far. */
  #figures(): Pick<TokenEvent, "timings" | "usage"> {
    const { timingsPerToken, usagePerToken } = this.#options;
    return { ...(timingsPerToken && { timings: this.#timings() }), ...(usagePerToken && { usage: this.#usage() }) };
  }

  #scoresOf(id: number, logits: Float32Array): Pick<TokenEvent, "logprobs" | "probs"> {
    const { logprobs: k, sampledProbs } = this.#options;
    if (k === undefined) return { logprobs: undefined };
    return { logprobs: logprobs(logits, id, k), ...(sampledProbs && { probs: this.#chooser.probs(id, k) }) };
  }

  /**
   * The text that a token adds, as far as it is certain; an end token adds none.
   * @param last whether this is the last token, so that nothing is held back
   */
  #write(id: number | undefined, last: boolean): { offset: number; text: string; stop: string | undefined } {
    const offset = this.#textLength;
    let piece = id === undefined ? "" : this.#text.push(id);
    if (last) piece += this.#text.end();
    this.#textLength += piece.length;
    const { text, stop } = this.#stops.push(piece);
    if (stop !== undefined) return { offset, text: this.#options.keepStop ? text + stop : text, stop };
    return { offset, text: last ? text + this.#stops.end() : text, stop };
  }

  /** A prompt that was evicted is computed again, so its first rows may come twice. */
  #score(scores: Logprobs[], logits: Float32Array, position: number): false {
    const { prompt, promptLogprobs } = this.#options;
    if (position === scores.length) scores.push(logprobs(logits, prompt[position + 1]!, promptLogprobs!));
    return false;
  }

  #append(id: number): void {
    this.#count++;
    this.tokens.push(id);
    if (this.#history !== this.tokens) this.#history.push(id);
    this.#chooser.accept(id);
    this.#drafts.confirm(id);
  }

  /**
   * Shifts the context: removes half of the tokens after the first `keep` ones. These stay in the cache, and the rest
   * is computed again.
   */
  #shift(): void {
    const { scheduler, executor } = this.#engine;
    const keep = Math.min(this.#options.keep ?? 0, executor.contextLength >> 1);
    scheduler.remove(this);
    this.tokens.splice(keep, Math.ceil((this.tokens.length - keep) / 2));
    scheduler.add(this);
  }

  #finish(reason: FinishEvent["reason"], stop?: string): true {
    this.#unlisten();
    const [usage, timings] = [this.#usage(), this.#timings()];
    this.events.push({ type: "finish", reason, ...(stop !== undefined && { stop }), usage, timings });
    this.events.end();
    return true;
  }

  fail(error: unknown): void {
    this.#unlisten();
    this.events.fail(error);
  }

  #leave(): void {
    this.#unlisten();
    this.#engine.scheduler.remove(this);
  }

  #unlisten(): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }

  #usage(): Usage {
    const prompt = this.#options.prompt.length;
    const { drafted, accepted } = this.#drafts.byModel?.account ?? { drafted: 0, accepted: 0 };
    return {
      prompt_tokens: prompt,
      completion_tokens: this.#count,
      total_tokens: prompt + this.#count,
      prompt_tokens_details: { cached_tokens: this.#cached },
      ...(drafted > 0 && {
        completion_tokens_details: {
          accepted_prediction_tokens: accepted,
          rejected_prediction_tokens: drafted - accepted,
        },
      }),
    };
  }

  #timings(): Timings {
    const { prompt_tokens, completion_tokens } = this.#usage();
    const { drafted, accepted } = this.#drafts;
    return timingsOf({
      cached: this.#cached,
      prompt: prompt_tokens - this.#cached,
      promptMs: this.#firstTime - this.#startTime,
      predicted: completion_tokens,
      predictedMs: now() - this.#firstTime,
      drafted,
      accepted,
    });
  }
}
