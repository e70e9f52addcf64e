/**
 * Tasks whose answer is the likeliest of several choices.
 * @module
 */
import type { LogLikelihood } from "../engine/generate/log-likelihood.ts";
import type { Backend } from "./backend.ts";
import { argMax } from "./metrics.ts";
import type { Choices } from "./prompts.ts";

export interface ChoiceScores {
  readonly likelihoods: readonly LogLikelihood[];
  /** 1 if the likeliest choice is the right one, else 0. */
  readonly acc: number;
  /** The same, with each log-likelihood divided by the characters of its choice. */
  readonly acc_norm: number;
}

export async function scoreChoices(
  backend: Pick<Backend, "logLikelihoods">,
  { pairs, lengths, target }: Choices,
): Promise<ChoiceScores> {
  const likelihoods = await backend.logLikelihoods(pairs);
  const sums = likelihoods.map(({ logprob }) => logprob);
  return {
    likelihoods,
    acc: Number(argMax(sums) === target),
    acc_norm: Number(argMax(sums.map((sum, i) => sum / lengths[i]!)) === target),
  };
}
