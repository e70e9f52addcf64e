/**
 * OpenAI's text completions: the shapes of a request and its answer.
 * @module
 */
import type { Usage } from "../generate/events.ts";
import type { Timings } from "../generate/timings.ts";
import type { ChatTokenLogprob } from "./chat-types.ts";
import type { CommonFields, FinishReason, PromptLogprobs, PromptProgress } from "./common-types.ts";

/** A request for the continuation of a text. */
export interface CompletionRequest extends CommonFields {
  /** A text, or token ids as they are, or a list of either: one choice for each, times `n`, in their order. */
  readonly prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  /**
   * The text after the gap that the answer fills, where the prompt is the text before it. The model must have the tokens
   * for that (`info.infill`). Default: none, and the answer continues the prompt.
   */
  readonly suffix?: string | null;
  /** Log-probabilities of each token and of 0 to 20 alternatives; the token itself is always among them. */
  readonly logprobs?: number | null;
  /** Must equal `n`, because choosing among more answers is not supported. */
  readonly best_of?: number | null;
  /** Whether BOS is added to a text. Default: as the model asks. */
  readonly add_special_tokens?: boolean | null;
  /**
   * Whether the prompt is returned before the answer, with log-probabilities if they are asked for. `max_tokens` may be
   * 0 then.
   */
  readonly echo?: boolean | null;
}

/** Log-probabilities of a completion: lists with an entry per token. */
export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  /** The log-probability of each token; null for the first token of an echoed prompt. */
  readonly token_logprobs: readonly (number | null)[];
  /** Log-probabilities of the alternatives, by the text of the token. */
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  /** UTF-16 units of the choice's text before each token. The end token has no text. */
  readonly text_offset: readonly number[];
  /** The answer's tokens in the shape of chat completions. Present with `n_probs`. */
  readonly content?: readonly ChatTokenLogprob[];
}

/** A completion, or a chunk of one: OpenAI has one shape for both. */
export interface Completion {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly logprobs: CompletionLogprobs | null;
    readonly prompt_logprobs?: PromptLogprobs;
    /** Why the answer ended; null in all chunks but the last. */
    readonly finish_reason: FinishReason | null;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
    /** The ids of the answer's tokens, with `return_token_ids`. */
    readonly token_ids?: readonly number[];
    /** The ids of the prompt's tokens, with `return_token_ids`. */
    readonly prompt_token_ids?: readonly number[];
  }[];
  readonly usage?: Usage | null;
  readonly timings?: Timings;
  /** With `return_progress`, in chunks before the answer. */
  readonly prompt_progress?: PromptProgress;
}
