/**
 * The checked settings of one answer.
 * @module
 */
import type { AdapterScales } from "../../runtime/types.ts";
import type { CallConstraintOptions } from "../constrain/call-constraint.ts";
import type { ConstraintOptions } from "../constrain/constraint.ts";
import type { SamplingOptions } from "../sample/options.ts";

/** The settings of one answer. Every field is checked, and defaults are filled in. */
export interface GenerationSettings {
  /** Token ids: at least one, fewer than the context holds. */
  readonly prompt: readonly number[];
  /**
   * Most tokens of the answer, the end token included. It may be undefined; the answer then ends at the end of the
   * context.
   */
  readonly maxTokens?: number | undefined;
  readonly sampling: SamplingOptions;
  /** Texts that end the answer. They are not part of it, unless `keepStop` is set. */
  readonly stop?: readonly string[] | undefined;
  readonly keepStop?: boolean | undefined;
  /** Tokens that end the answer and are not part of its text. */
  readonly endIds: ReadonlySet<number>;
  /**
   * The part of the answer that is already at the end of the prompt. Formats and budgets of the answer include it. If
   * it is undefined, the prompt's text tells whether it ends inside of a `<think>` block.
   */
  readonly begun?: string | undefined;
  /**
   * Number of alternatives whose log-probabilities are returned with that of each token. Undefined: no
   * log-probabilities are returned.
   */
  readonly logprobs?: number | undefined;
  /** Whether the probabilities after all sampling steps are returned, too. Needs `logprobs`. */
  readonly sampledProbs?: boolean | undefined;
  /** Like `logprobs`, for the prompt's tokens. They come in a `prompt` event before the answer. */
  readonly promptLogprobs?: number | undefined;
  /** The number of this answer among several to the same request. The random numbers depend on it. */
  readonly choice?: number | undefined;
  /** Most tokens that a step may draft; 0: none. */
  readonly draftMax?: number | undefined;
  /** Fewest tokens of a draft: shorter ones are not used, and so many are checked whatever that costs. */
  readonly draftMin?: number | undefined;
  /** The probability below which a draft model's guess ends a draft. */
  readonly draftPMin?: number | undefined;
  /** Tokens of reasoning after which the block is closed with `</think>`. */
  readonly reasoningBudget?: number | undefined;
  /** Whether half of the context is removed when it is full, so that the answer goes on. */
  readonly contextShift?: boolean | undefined;
  /** Tokens at the prompt's start that a context shift keeps. */
  readonly keep?: number | undefined;
  readonly adapters?: AdapterScales | undefined;
  /** Only requests with the same text copy keys and values of each other; undefined: those without one. */
  readonly cacheSalt?: string | undefined;
  readonly constraint?: ConstraintOptions | CallConstraintOptions | undefined;
  /** Special tokens that are part of the text: these texts, or all but the end token. */
  readonly shown?: readonly string[] | "all";
  /** Whether each token event has the timings so far. */
  readonly timingsPerToken?: boolean | undefined;
  /** Whether each token event has the usage so far. */
  readonly usagePerToken?: boolean | undefined;
  /** Whether events report the progress of prefill. */
  readonly promptProgress?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
