/**
 * The events that one answer gives, and its figures.
 * @module
 */
import type { Logprobs, Probs } from "../sample/logprobs.ts";

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
  /** The probabilities with which the token was drawn, where `sampledProbs` are asked for. */
  readonly probs?: Probs | undefined;
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

/** An event of one answer, by its `type`. */
export type GenerateEvent = PromptEvent | TokenEvent | FinishEvent;

/** The numbers of tokens of a request, in OpenAI's names. */
export interface Usage {
  /** Tokens of the prompt. */
  readonly prompt_tokens: number;
  /** The end token included. */
  readonly completion_tokens: number;
  /** Tokens of the prompt and of the answers. */
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
  /** Tokens of the prompt that this request computed. */
  readonly prompt_n: number;
  /** Milliseconds until the first token. */
  readonly prompt_ms: number;
  /** Tokens of the prompt computed per second. */
  readonly prompt_per_second: number;
  /** Tokens of the answer. */
  readonly predicted_n: number;
  /** Milliseconds from the first token to the end. */
  readonly predicted_ms: number;
  /** Tokens of the answer per second. */
  readonly predicted_per_second: number;
  /** Tokens drafted from earlier text, and how many of them came true: the steps saved. Absent if none were drafted. */
  readonly draft_n?: number;
  /** Drafted tokens that the model then chose. */
  readonly draft_n_accepted?: number;
}
