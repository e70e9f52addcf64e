/**
 * Tasks whose answer is generated.
 * @module
 */
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../engine/sample/defaults.ts";
import type { SamplingOptions } from "../engine/sample/options.ts";
import { philox } from "../engine/sample/random.ts";
import type { AnswerRequest } from "./backend.ts";
import type { Question } from "./prompts.ts";
import type { Generation } from "./task.ts";

/** lm-eval's default for the tokens of an answer. */
const MAX_TOKENS = 256;

export interface AnswerOptions {
  /** Most tokens of the answer, in place of the task's. */
  readonly maxTokens?: number | undefined;
  /** Makes the settings of sampling from the task's. Default: the task's, and the seed 0. */
  readonly sampling?: ((own: SamplingDefaults) => SamplingOptions) | undefined;
  /** Answers to each question, in place of the task's `repeats`. */
  readonly samples?: number | undefined;
}

/**
 * The requests for the answers to a question.
 * @param row the index of the row in its data
 */
export function answerRequests(
  row: number,
  { context, messages }: Pick<Question, "context" | "messages">,
  { until, max_gen_toks = MAX_TOKENS, temperature = 0, top_p, repeats = 1 }: Generation,
  { maxTokens = max_gen_toks, sampling, samples = repeats }: AnswerOptions,
): AnswerRequest[] {
  // lm-eval draws from all tokens, unless the task says otherwise.
  const own = { ...SAMPLING_DEFAULTS, temperature, topP: top_p ?? 1, topK: 0, minP: 0 };
  const settings = sampling?.(own) ?? { ...own, logitBias: new Map(), seed: 0 };
  return Array.from({ length: samples }, (_, sample) => ({
    prompt: context,
    messages,
    maxTokens,
    stop: until,
    sampling: { ...settings, seed: seedOf(settings.seed, row, sample) },
  }));
}

/**
 * The seed of one answer, 32 bits that depend on the row and the sample alone, so that an answer is the same in any order,
 * on any machine and in any part of a run.
 */
function seedOf(seed: number, row: number, sample: number): number {
  return philox([row, sample, 0, 0], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0])[0]!;
}
