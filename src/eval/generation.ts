/**
 * Tasks whose answer is generated.
 * @module
 */
import { requestName } from "../engine/request/sampling-fields.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../engine/sample/defaults.ts";
import { type NumericSetting, SAMPLING_RANGES, type SamplingOptions } from "../engine/sample/options.ts";
import { philox } from "../engine/sample/random.ts";
import type { AnswerRequest } from "./backend.ts";
import type { Question } from "./prompts.ts";
import type { Generation, Task } from "./task.ts";

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

/** The requests for the answers to a question, and the settings that lm-eval's samples show for them. */
interface Answers {
  readonly requests: readonly AnswerRequest[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** @param row the index of the row in its data */
export function answerRequests(
  row: number,
  { context, messages }: Pick<Question, "context" | "messages">,
  { generation_kwargs, repeats = 1 }: { readonly generation_kwargs: Generation } & Pick<Task, "repeats">,
  { maxTokens, sampling, samples = repeats }: AnswerOptions,
): Answers {
  const { until, max_gen_toks = MAX_TOKENS, do_sample = true, temperature = 0, top_p = 1 } = generation_kwargs;
  // lm-eval draws from all tokens, unless the task says otherwise.
  const own = { ...SAMPLING_DEFAULTS, temperature: do_sample ? temperature : 0, topP: top_p, topK: 0, minP: 0 };
  const chosen = sampling?.(own) ?? { ...own, logitBias: new Map(), seed: 0 };
  const changed = (Object.keys(SAMPLING_RANGES) as NumericSetting[]).filter((name) => chosen[name] !== own[name]);
  return {
    requests: Array.from({ length: samples }, (_, sample) => ({
      prompt: context,
      messages,
      maxTokens: maxTokens ?? max_gen_toks,
      stop: until,
      sampling: { ...chosen, seed: seedOf(chosen.seed, row, sample) },
    })),
    settings: {
      ...generation_kwargs,
      ...Object.fromEntries(changed.map((name) => [requestName(name), chosen[name]])),
      ...(changed.includes("temperature") && { do_sample: chosen.temperature > 0 }),
      ...(maxTokens !== undefined && { max_gen_toks: maxTokens }),
    },
  };
}

/**
 * The seed of one answer, 32 bits that depend on the row and the sample alone, so that an answer is the same in any order,
 * on any machine and in any part of a run.
 */
function seedOf(seed: number, row: number, sample: number): number {
  return philox([row, sample, 0, 0], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0])[0]!;
}
