/**
 * The log-likelihoods of the choices of a row, by lm-eval's rules.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { LogLikelihood } from "../engine/generate/log-likelihood.ts";
import type { Model } from "../engine/model.ts";

import type { EncodedPair } from "./encoding.ts";

/** The parts of a model that are used here. */
export type Scorer = Pick<Model, "logLikelihoods" | "info">;

/** A context, and the numbers of the pairs that continue it. */
interface Group {
  readonly context: readonly number[];
  readonly pairs: number[];
}

/**
 * Scores several continuations together; a context that several of them have is read once. Of a pair that is longer than
 * the model's context the beginning is cut off, as in lm-eval.
 * @returns one score per pair
 * @throws NibbleError `context_full` for a continuation that is longer than the model's context
 */
export async function logLikelihoods(
  model: Scorer,
  pairs: readonly EncodedPair[],
  signal?: AbortSignal,
): Promise<LogLikelihood[]> {
  const results: LogLikelihood[] = [];
  const groups = new Map<string, Group>();
  for (const [i, pair] of pairs.entries()) {
    const context = fittingContext(pair, model.info.contextLength);
    const key = context.join();
    if (!groups.has(key)) groups.set(key, { context, pairs: [] });
    groups.get(key)!.pairs.push(i);
  }
  await Promise.all(
    [...groups.values()].map(async ({ context, pairs: own }) => {
      const continuations = own.map((i) => pairs[i]!.continuation);
      const scores = await model.logLikelihoods(context, continuations, { signal });
      for (const [at, score] of scores.entries()) results[own[at]!] = score;
    }),
  );
  return results;
}

/** The end of a context that fits before its continuation, whose last token is not read. */
function fittingContext({ context, continuation }: EncodedPair, contextLength: number): readonly number[] {
  const room = contextLength + 1 - continuation.length;
  if (room < 1)
    throw new NibbleError(
      "context_full",
      `a continuation has ${continuation.length} tokens; the context holds ${contextLength}`,
    );
  return context.slice(-room);
}
