/**
 * Tasks whose answer is the likeliest of several choices.
 * @module
 */
import { encodePair, logLikelihoods, type Scorer } from "./log-likelihood.ts";
import { argMax } from "./metrics.ts";
import type { Choices } from "./prompts.ts";

export interface ChoiceScores {
  readonly likelihoods: readonly { readonly logprob: number; readonly greedy: boolean }[];
  /** 1 if the likeliest choice is the right one, else 0. */
  readonly acc: number;
  /** The same, with each log-likelihood divided by the characters of its choice. */
  readonly acc_norm: number;
}

export function scoreChoices(model: Scorer, { pairs, lengths, target }: Choices): ChoiceScores {
  const likelihoods = logLikelihoods(
    model,
    pairs.map(([context, continuation]) => encodePair(model, context, continuation)),
  );
  const sums = likelihoods.map(({ logprob }) => logprob);
  return {
    likelihoods,
    acc: Number(argMax(sums) === target),
    acc_norm: Number(argMax(sums.map((sum, i) => sum / lengths[i]!)) === target),
  };
}
