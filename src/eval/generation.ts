/**
 * Tasks whose answer is generated.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../engine/sample/defaults.ts";
import type { SamplingOptions } from "../engine/sample/options.ts";
import { encodeText } from "./encoding.ts";
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
  readonly signal?: AbortSignal | undefined;
}

/**
 * Generates the answers to a context, all together. Of a context that leaves no room for the answer the beginning is cut off, as in
 * lm-eval.
 * @throws NibbleError `context_full` if the answer may be as long as the model's context
 */
export async function generateTexts(
  model: Pick<Model, "tokenize" | "generate" | "info">,
  context: string,
  { until, max_gen_toks = MAX_TOKENS, temperature = 0, top_p, repeats = 1 }: Generation,
  { maxTokens = max_gen_toks, sampling, samples = repeats, signal }: AnswerOptions,
): Promise<string[]> {
  const room = model.info.contextLength - maxTokens;
  if (room <= 0)
    throw new NibbleError(
      "context_full",
      `an answer may have ${maxTokens} tokens, and the context holds ${model.info.contextLength}; ask for fewer (-n) or a longer context (-c)`,
    );
  // lm-eval draws from all tokens, unless the task says otherwise.
  const own = { ...SAMPLING_DEFAULTS, temperature, topP: top_p ?? 1, topK: 0, minP: 0 };
  const prompt = encodeText(model, context).slice(-room);
  const settings = sampling?.(own) ?? { ...own, seed: 0 };
  const generate = async (choice: number): Promise<string> => {
    const options = { prompt, maxTokens, stop: until, sampling: settings, choice, ...(signal && { signal }) };
    let text = "";
    for await (const event of model.generate(options)) if (event.type === "token") text += event.text;
    return text;
  };
  return Promise.all(Array.from({ length: samples }, (_, choice) => generate(choice)));
}
