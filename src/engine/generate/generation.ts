/**
 * Generates one answer: it takes prompt ids, and gives a stream of tokens with their text.
 * @module
 */
import { begunBy } from "../../chat/turn.ts";
import type { AdapterScales, Executor } from "../../runtime/types.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { CallConstraint } from "../constrain/call-constraint.ts";
import { Constraint } from "../constrain/constraint.ts";
import { ReasoningBudget } from "../constrain/reasoning-budget.ts";
import type { Candidates } from "../sample/candidates.ts";
import { DRAFT_MAX } from "../sample/defaults.ts";
import { type Logprobs, logprobs } from "../sample/logprobs.ts";
import { Sampler, type TokenPlace } from "../sample/sampler.ts";
import type { Job } from "../schedule/batch-plan.ts";
import { EventQueue } from "../schedule/event-queue.ts";
import { now } from "../schedule/host-turn.ts";
import { PromptLookup } from "../schedule/prompt-lookup.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import { AnswerText } from "./answer-text.ts";
import type { AnswerEvent, FinishEvent, TokenEvent, Usage } from "./events.ts";
import type { GenerationSettings } from "./settings.ts";
import { StopMatcher } from "./stop.ts";
import { type Timings, timingsOf } from "./timings.ts";

/** The parts of a model that all its requests share. */
export interface Engine {
  readonly tokenizer: Tokenizer;
  readonly executor: Executor;
  readonly scheduler: Scheduler;
  readonly candidates: Candidates;
}

/** Tokens at the end of a prompt that may spell `<think>`. */
const PROMPT_END = 32;
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
  readonly #engine: Engine;
  readonly #options: GenerationSettings;
  readonly #sampler: Sampler;
  readonly #constraint: Constraint | CallConstraint | undefined;
  readonly #budget: ReasoningBudget | undefined;
  /** Log-probabilities of the prompt's tokens, where they are asked for. */
  readonly #scores: Logprobs[] | undefined;
  readonly #lookup: PromptLookup;
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
    const { signal, reasoningBudget, maxTokens = Infinity, contextShift } = options;
    this.#engine = engine;
    this.#options = options;
    this.tokens = [...options.prompt];
    this.#history = contextShift ? [...options.prompt] : this.tokens;
    this.#scores = options.promptLogprobs === undefined ? undefined : [];
    this.#sampler = new Sampler(options.sampling, { ...engine, endIds: options.endIds });
    this.#constraint = constraintFor(options, tokenizer);
    if (reasoningBudget !== undefined) {
      const begun = options.begun ?? begunBy(tokenizer.decode(options.prompt.slice(-PROMPT_END)));
      this.#budget = new ReasoningBudget(reasoningBudget, tokenizer, begun);
    }
    this.#lookup = new PromptLookup(this.#history, executor.vocabSize, options.draftMax ?? DRAFT_MAX);
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

  get ready(): boolean {
    return this.events.size < MAX_UNREAD;
  }

  get allRows(): boolean {
    return this.#scores !== undefined && this.#count === 0;
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

  draft(limit: number, price: (count: number) => number): readonly number[] {
    return this.#lookup.propose(Math.min(limit, this.#maxTokens - this.#count - 1), price);
  }

  accept(logits: Float32Array, position: number): boolean {
    const { prompt, endIds, logprobs: k } = this.#options;
    if (this.#scores && position < prompt.length - 1) return this.#score(this.#scores, logits, position);
    if (this.#count === 0) this.#beginAnswer();
    if (this.#maxTokens === 0) return this.#finish("length");
    const forced = this.#budget?.forced;
    const id = forced ?? this.#sample(logits);
    this.#append(id);
    const end = endIds.has(id);
    const complete = end || (this.#constraint?.done ?? false);
    const last = complete || this.#count >= this.#maxTokens;
    const { offset, text, stop } = this.#write(end ? undefined : id, last);
    const scores = k === undefined ? {} : this.#scoresOf(id, logits, k, forced !== undefined);
    const timings = this.#options.timingsPerToken && { timings: this.#timings() };
    this.events.push({ type: "token", id, text, offset, end, logprobs: undefined, ...scores, ...timings });
    const stopped = stop !== undefined;
    // As in llama.cpp and vLLM, an answer that reaches the limit ends with "length" unless its last token is an end
    // token, even if its grammar is complete.
    const cut = !end && !stopped && this.#count >= this.#maxTokens;
    if (last || stopped) return this.#finish(cut ? "length" : "stop", stop);
    if (this.tokens.length >= this.#engine.executor.contextLength) this.#shift();
    return false;
  }

  #beginAnswer(): void {
    this.#firstTime = now();
    if (this.#scores) this.events.push({ type: "prompt", logprobs: this.#scores });
  }

  #sample(logits: Float32Array): number {
    const place: TokenPlace = { position: this.#count, choice: this.#options.choice ?? 0 };
    return this.#sampler.sample(logits, this.#history, place, this.#constraint?.mask());
  }

  #scoresOf(id: number, logits: Float32Array, k: number, forced: boolean): Pick<TokenEvent, "logprobs" | "probs"> {
    const own = { logprobs: logprobs(logits, id, k) };
    if (!this.#options.sampledProbs) return own;
    return { ...own, probs: forced ? { id, prob: 1, top: [{ id, prob: 1 }].slice(0, k) } : this.#sampler.probs(id, k) };
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
    return { offset, text: last && stop === undefined ? text + this.#stops.end() : text, stop };
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
    this.#constraint?.accept(id);
    this.#budget?.accept(id);
    this.#lookup.confirm(id);
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
    return {
      prompt_tokens: prompt,
      completion_tokens: this.#count,
      total_tokens: prompt + this.#count,
      prompt_tokens_details: { cached_tokens: this.#cached },
    };
  }

  #timings(): Timings {
    const { prompt_tokens, completion_tokens } = this.#usage();
    const { drafted, accepted } = this.#lookup;
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

function constraintFor(
  { constraint, endIds }: GenerationSettings,
  tokenizer: Tokenizer,
): Constraint | CallConstraint | undefined {
  if (!constraint) return undefined;
  if ("starts" in constraint) return new CallConstraint(constraint, tokenizer, endIds);
  return new Constraint(constraint, tokenizer, endIds);
}
