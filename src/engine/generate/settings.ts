/**
 * The checked settings of one answer.
 * @module
 */
import type { AdapterScales } from "../../runtime/types.ts";
import type { CallConstraintOptions } from "../constrain/call-constraint.ts";
import type { ConstraintOptions } from "../constrain/constraint.ts";
import type { SamplingOptions } from "../sample/options.ts";

/** Every field is checked, and defaults are filled in. */
export interface GenerationSettings {
  /** Token ids: at least one, fewer than the context holds. */
  readonly prompt: readonly number[];
  /** Most tokens of the answer, the end token included; never beyond the context. Undefined: to its end. */
  readonly maxTokens?: number | undefined;
  readonly sampling: SamplingOptions;
  /** Texts that end the answer and are not part of it. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the answer and are not part of its text. */
  readonly endIds: ReadonlySet<number>;
  /**
   * The part of the answer that stands at the end of the prompt, which bounds and formats of the answer count. Undefined:
   * the prompt's text tells whether it ends inside of a `<think>` block.
   */
  readonly begun?: string | undefined;
  /** The log-probability of each token is given, and those of this many alternatives. */
  readonly logprobs?: number | undefined;
  /** With `logprobs`: also the probabilities behind all sampling steps. */
  readonly sampledProbs?: boolean | undefined;
  /** The same for the prompt's tokens, in a `prompt` event before the answer. */
  readonly promptLogprobs?: number | undefined;
  /** Which of several answers to the same request this is: a counter of the random numbers. */
  readonly choice?: number | undefined;
  /** Most tokens that a step may draft from earlier text. */
  readonly draftMax?: number | undefined;
  /** Tokens of reasoning after which the block is closed with `</think>`. */
  readonly reasoningBudget?: number | undefined;
  /** Where the context is full, half of it is forgotten, and the answer goes on. */
  readonly contextShift?: boolean | undefined;
  /** Tokens at the prompt's start that a shift keeps. */
  readonly keep?: number | undefined;
  readonly adapters?: AdapterScales | undefined;
  readonly constraint?: ConstraintOptions | CallConstraintOptions | undefined;
  /** Special tokens that are part of the text. */
  readonly shown?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}
