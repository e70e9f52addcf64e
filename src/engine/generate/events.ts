/**
 * The events of one answer, and its usage.
 * @module
 */
import type { Logprobs, Probs } from "../sample/logprobs.ts";
import type { Timings } from "./timings.ts";

/** The first event, where `promptLogprobs` are asked for. */
export interface PromptEvent {
  readonly type: "prompt";
  /** The log-probabilities of the prompt's tokens, except the first, which nothing predicts. */
  readonly logprobs: readonly Logprobs[];
}

/** The progress of prefill, if `promptProgress` is set. The fields are those of llama-server's `prompt_progress`. */
export interface ProgressEvent {
  readonly type: "progress";
  /** Tokens of the prompt. */
  readonly total: number;
  /** Tokens of the prompt that came from the KV cache. */
  readonly cache: number;
  /** Tokens of the prompt that have been processed, including cached ones. */
  readonly processed: number;
  /** Milliseconds since prefill began. */
  readonly time_ms: number;
}

export interface TokenEvent {
  readonly type: "token";
  readonly id: number;
  /**
   * Text that has become certain. It may belong to earlier tokens, and it is empty while a character or a stop string
   * may be incomplete.
   */
  readonly text: string;
  /** UTF-16 units of answer text before this token. */
  readonly offset: number;
  /** True for the token that ended the answer; it has no text. */
  readonly end: boolean;
  readonly logprobs: Logprobs | undefined;
  /** The probabilities with which the token was drawn, where `sampledProbs` are asked for. */
  readonly probs?: Probs | undefined;
  /** The timings so far, if `timingsPerToken` is set. */
  readonly timings?: Timings;
  /** The usage so far, if `usagePerToken` is set. */
  readonly usage?: Usage;
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

/**
 * An event from which completions are built. `model.generate` has no `ProgressEvent`, because it has no option for it.
 */
export type AnswerEvent = GenerateEvent | ProgressEvent;

/** More about the tokens of answers, in OpenAI's names. */
export interface CompletionTokensDetails {
  /** Tokens of reasoning, up to the one that closes it. Present where reasoning is separated from the answer. */
  readonly reasoning_tokens?: number;
  /** Tokens of a draft model that the model then chose. Present, as the next field, where a draft model drafted. */
  readonly accepted_prediction_tokens?: number;
  /** Tokens of a draft model that the model did not choose. They are no tokens of the answer. */
  readonly rejected_prediction_tokens?: number;
}

/** The numbers of tokens of a request, in OpenAI's names. */
export interface Usage {
  /** Tokens of the prompt. */
  readonly prompt_tokens: number;
  /** Tokens of the answers, the end token included. */
  readonly completion_tokens: number;
  /** Tokens of the prompt and of the answers. */
  readonly total_tokens: number;
  /** Tokens of the prompt whose keys and values were in the cache, because another request or session computed them. */
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  /** More about the tokens of the answers. Present where there is something to say. */
  readonly completion_tokens_details?: CompletionTokensDetails;
}
