/**
 * One request: prompt ids in, a stream of tokens with their text out.
 * @module
 */
import { opensReasoning } from "../chat/reasoning.ts";
import type { AdapterScales, Executor } from "../runtime/types.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { AnswerText } from "./answer-text.ts";
import { CallConstraint } from "./constrain/call-constraint.ts";
import { Constraint } from "./constrain/constraint.ts";
import { ReasoningBudget } from "./constrain/reasoning-budget.ts";
import type { FinishEvent, GenerateEvent, GenerationSettings, Timings, Usage } from "./generate.ts";
import type { Candidates } from "./sample/candidates.ts";
import { DRAFT_MAX } from "./sample/defaults.ts";
import { type Logprobs, logprobs, Sampler } from "./sample/sampler.ts";
import type { Job } from "./schedule/batch-plan.ts";
import { EventQueue } from "./schedule/event-queue.ts";
import { now } from "./schedule/host-turn.ts";
import { PromptLookup } from "./schedule/prompt-lookup.ts";
import type { Scheduler } from "./schedule/scheduler.ts";
import { StopMatcher } from "./stop.ts";

/** What all requests of a model share. */
export interface Machine {
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
export function generate(machine: Machine, settings: GenerationSettings): AsyncIterableIterator<GenerateEvent> {
  return new Generation(machine, settings).events;
}

class Generation implements Job {
  /** What the model has before it: the prompt and the answer so far, less what shifts have left out. */
  readonly tokens: number[];
  /** The same with nothing left out. */
  readonly #history: number[];
  readonly events: EventQueue<GenerateEvent>;
  readonly #machine: Machine;
  readonly #options: GenerationSettings;
  readonly #sampler: Sampler;
  readonly #constraint: Constraint | CallConstraint | undefined;
  readonly #budget: ReasoningBudget | undefined;
  /** Of the prompt, where they are asked for. */
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

  constructor(machine: Machine, options: GenerationSettings) {
    const { scheduler, tokenizer, executor } = machine;
    const { signal, reasoningBudget, maxTokens = Infinity, contextShift } = options;
    this.#machine = machine;
    this.#options = options;
    this.tokens = [...options.prompt];
    this.#history = contextShift ? [...options.prompt] : this.tokens;
    this.#scores = options.promptLogprobs === undefined ? undefined : [];
    this.#sampler = new Sampler(options.sampling, { ...machine, endIds: options.endIds });
    const { constraint } = options;
    if (constraint && "starts" in constraint)
      this.#constraint = new CallConstraint(constraint, tokenizer, options.endIds);
    else if (constraint) this.#constraint = new Constraint(constraint, tokenizer, options.endIds);
    if (reasoningBudget !== undefined) {
      const opened = opensReasoning(tokenizer.decode(options.prompt.slice(-PROMPT_END)));
      this.#budget = new ReasoningBudget(reasoningBudget, tokenizer, opened);
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

  start(cached: number): void {
    if (this.#count > 0) return; // after a shift
    this.#startTime = now();
    this.#cached = cached;
  }

  draft(limit: number, price: (count: number) => number): readonly number[] {
    return this.#lookup.propose(Math.min(limit, this.#maxTokens - this.#count - 1), price);
  }

  accept(logits: Float32Array, position: number): boolean {
    const { prompt, choice = 0, endIds, logprobs: k } = this.#options;
    if (this.#scores && position < prompt.length - 1) return this.#score(this.#scores, logits, position);
    const index = this.#count;
    if (index === 0) this.#begin();
    if (this.#maxTokens === 0) return this.#finish("length");
    const id =
      this.#budget?.forced ?? this.#sampler.sample(logits, this.#history, index, choice, this.#constraint?.mask());
    this.#append(id);
    const end = endIds.has(id);
    const offset = this.#textLength;
    let piece = end ? "" : this.#text.push(id);
    const complete = end || (this.#constraint?.done ?? false);
    const full = this.#count >= this.#maxTokens;
    if (complete || full) piece += this.#text.end();
    this.#textLength += piece.length;
    let { text, stop } = this.#stops.push(piece);
    const stopped = stop !== undefined;
    if ((complete || full) && !stopped) text += this.#stops.end();
    this.events.push({
      type: "token",
      id,
      text,
      offset,
      end,
      logprobs: k === undefined ? undefined : logprobs(logits, id, k),
    });
    if (complete || stopped || full) return this.#finish(complete || stopped ? "stop" : "length", stop);
    if (this.tokens.length >= this.#machine.executor.contextLength) this.#shift();
    return false;
  }

  #begin(): void {
    this.#firstTime = now();
    if (this.#scores) this.events.push({ type: "prompt", logprobs: this.#scores });
  }

  /** A prompt that lost its place in the cache is read again: its first rows come twice. */
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

  /** Leaves out half of what may be left out. What is kept has the same place as before, the rest is read again. */
  #shift(): void {
    const { scheduler, executor } = this.#machine;
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
    this.#machine.scheduler.remove(this);
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
    const computed = prompt_tokens - this.#cached;
    const promptMs = this.#firstTime - this.#startTime;
    const predictedMs = now() - this.#firstTime;
    const rate = (count: number, ms: number) => (ms > 0 ? (count / ms) * 1000 : 0);
    return {
      cache_n: this.#cached,
      prompt_n: computed,
      prompt_ms: promptMs,
      prompt_per_second: rate(computed, promptMs),
      predicted_n: completion_tokens,
      predicted_ms: predictedMs,
      predicted_per_second: rate(completion_tokens, predictedMs),
      ...(drafted > 0 && { draft_n: drafted, draft_n_accepted: accepted }),
    };
  }
}
