/**
 * What a request may ask of `model.generate`, and the events that it gives.
 * @module
 */
import type { GrammarSource } from "../grammar/compile.ts";
import type { AdapterScales } from "../runtime/types.ts";
import type { CallConstraintOptions } from "./constrain/call-constraint.ts";
import type { ConstraintOptions } from "./constrain/constraint.ts";
import type { LoraChoice } from "./lora.ts";
import type { SamplingOptions } from "./sample/options.ts";
import type { Logprobs } from "./sample/sampler.ts";

/** Options of `model.generate`. */
export interface GenerateOptions {
  /** Token ids, as `tokenize` gives them. */
  readonly prompt: readonly number[];
  /** Most tokens of the answer, the end token included; never beyond the context. Default: to its end. */
  readonly maxTokens?: number | undefined;
  /** A setting that is left out is the model's (`info.sampling`); the seed is random, and nothing is biased. */
  readonly sampling?: Partial<SamplingOptions> | undefined;
  /** Texts that end the answer and are not part of it: at most 16 of 256 characters. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the answer and are not part of its text. Default: the model's (`info.endIds`). */
  readonly endIds?: ReadonlySet<number> | readonly number[] | undefined;
  /** Log-probabilities of each token and of this many alternatives. */
  readonly logprobs?: number | undefined;
  /** The same for the prompt's tokens, in a `prompt` event before the answer. Nothing of the prompt is reused then. */
  readonly promptLogprobs?: number | undefined;
  /** Which of several answers to the same request (a counter of the random numbers). */
  readonly choice?: number | undefined;
  /** Most tokens that a step may draft from earlier text (default and at most 16; 0: none). They change only the speed. */
  readonly draftMax?: number | undefined;
  /** What the answer has to look like. It ends with reason "stop" where the grammar is complete. */
  readonly grammar?: GrammarSource | undefined;
  /** Tokens of reasoning after which the block is closed with `</think>`; 0: no reasoning. Default: no bound. */
  readonly reasoningBudget?: number | undefined;
  /**
   * Where the context is full: forget half of it and go on, as far as `maxTokens`, which is needed then. What is left is
   * read again, so the answer is what a shorter text would give. Default false: the answer ends with reason "length".
   */
  readonly contextShift?: boolean | undefined;
  /** Tokens at the prompt's start that a shift leaves (at most half of the context). Default 0. */
  readonly keep?: number | undefined;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Checked options, defaults filled in. */
export interface GenerationSettings extends Omit<GenerateOptions, "grammar" | "lora"> {
  readonly sampling: SamplingOptions;
  readonly endIds: ReadonlySet<number>;
  readonly adapters?: AdapterScales | undefined;
  readonly constraint?: ConstraintOptions | CallConstraintOptions | undefined;
  /** Special tokens that are part of the text. */
  readonly shown?: readonly string[];
}

/** The first event, where `promptLogprobs` are asked for. */
export interface PromptEvent {
  readonly type: "prompt";
  /** Of the prompt's tokens but the first, for which nothing predicts. */
  readonly logprobs: readonly Logprobs[];
}

export interface TokenEvent {
  readonly type: "token";
  readonly id: number;
  /** Text that is certain now; it may belong to earlier tokens, or be empty while a character or stop string is open. */
  readonly text: string;
  /** UTF-16 units of answer text before this token. */
  readonly offset: number;
  /** True for the token that ended the answer; it has no text. */
  readonly end: boolean;
  readonly logprobs: Logprobs | undefined;
}

export interface FinishEvent {
  readonly type: "finish";
  /** "stop": an end token or stop string; "length": `maxTokens` or the end of the context. */
  readonly reason: "stop" | "length";
  /** The stop string that came, if one did. */
  readonly stop?: string;
  readonly usage: Usage;
  readonly timings: Timings;
}

export type GenerateEvent = PromptEvent | TokenEvent | FinishEvent;

export interface Usage {
  readonly prompt_tokens: number;
  /** The end token included. */
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Tokens of the prompt that were not computed: another request or session had. */
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  /** Where reasoning is told from the answer: its tokens up to the one that closes it. */
  readonly completion_tokens_details?: { readonly reasoning_tokens: number };
}

/** llama-server's figures. The first token counts as predicted, its time as the prompt's. 0 where a clock stands still. */
export interface Timings {
  /** Tokens of the prompt that others had computed; `prompt_n` are the rest. */
  readonly cache_n: number;
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly prompt_per_second: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
  readonly predicted_per_second: number;
  /** Tokens drafted from earlier text, and how many of them came true: the steps saved. Absent if none were drafted. */
  readonly draft_n?: number;
  readonly draft_n_accepted?: number;
}
