/**
 * The model's call for log-likelihoods.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { checkIds, checkSignal, Fields, invalid } from "../base/fields.ts";
import type { Core } from "./core.ts";
import { type LogLikelihood, scoreContinuations } from "./generate/log-likelihood.ts";
import { checkLora } from "./request/lora.ts";

/** @throws NibbleError `invalid_argument` that names the argument, `context_full`, and as `scoreContinuations` */
export async function logLikelihoods(
  core: Core,
  context: unknown,
  continuations: unknown,
  options: unknown,
): Promise<LogLikelihood[]> {
  core.checkGenerates();
  const { executor, engine } = core;
  const fields = new Fields(options ?? {}, ["lora", "signal"], "", "invalid_argument");
  const adapters = checkLora(fields, core.context.adapters);
  const settings = { adapters, cacheSalt: engine.cacheSalt, signal: checkSignal(fields) };
  const ids = (param: string, value: unknown): number[] => {
    const checked = checkIds(param, value, executor.vocabSize);
    if (checked.length === 0) throw invalid(param, "at least one token", value, "invalid_argument");
    return checked;
  };
  const before = ids("context", context);
  if (!Array.isArray(continuations))
    throw invalid("continuations", "an array of continuations", continuations, "invalid_argument");
  const after = Array.from(continuations, (one, i) => ids(`continuations[${i}]`, one));
  for (const [i, { length }] of after.entries()) {
    const read = before.length + length - 1;
    if (read > executor.contextLength)
      throw new NibbleError(
        "context_full",
        `continuations[${i}]: ${read} tokens must be read to score it, and the context holds ${executor.contextLength}`,
        { param: `continuations[${i}]` },
      );
  }
  return scoreContinuations(before, after, settings, engine.scheduler);
}
