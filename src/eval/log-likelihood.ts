/**
 * The log-likelihood of a continuation given its context, by lm-eval's rules.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import { logprobs } from "../engine/sample/logprobs.ts";
import type { Session } from "../engine/session/session.ts";
import type { LogLikelihood } from "./backend.ts";
import type { EncodedPair } from "./encoding.ts";

/** The parts of a model that are used here. */
export type Scorer = Pick<Model, "session" | "info">;

/**
 * Scores several continuations. What consecutive pairs have in common at their beginning is read once. Of a pair that is
 * longer than the context the beginning is cut off, as in lm-eval.
 * @returns one score per pair, and the number of tokens that were read
 */
export function logLikelihoods(
  model: Scorer,
  pairs: readonly EncodedPair[],
): { readonly likelihoods: LogLikelihood[]; readonly tokens: number } {
  const session = model.session();
  const held: number[] = [];
  try {
    const likelihoods = pairs.map((pair) => scorePair(model, session, held, pair));
    return {
      likelihoods,
      tokens: pairs.reduce((sum, { context, continuation }) => sum + context.length + continuation.length, 0),
    };
  } finally {
    session.dispose();
  }
}

/** @param held the tokens that the session holds, which this function keeps up to date */
function scorePair(
  model: Scorer,
  session: Session,
  held: number[],
  { context, continuation }: EncodedPair,
): LogLikelihood {
  const { contextLength, vocabSize } = model.info;
  if (continuation.length > contextLength)
    throw new NibbleError(
      "context_full",
      `a continuation has ${continuation.length} tokens; the context holds ${contextLength}`,
    );
  const tokens = [...context, ...continuation].slice(-(contextLength + 1), -1);
  // The row of the token before the continuation predicts its first token.
  const first = tokens.length - continuation.length;
  let common = 0;
  while (common < first && held[common] === tokens[common]) common++;
  session.truncate(common);
  if (common < first) session.forward(tokens.slice(common, first), { logits: "none" });
  const logits = session.forward(tokens.slice(first), { logits: "all" });
  held.splice(0, held.length, ...tokens);
  const scores = continuation.map((id, i) => logprobs(logits.subarray(i * vocabSize, (i + 1) * vocabSize), id, 1));
  return {
    logprob: scores.reduce((sum, { logprob }) => sum + logprob, 0),
    greedy: scores.every(({ id, top }) => top[0]!.id === id),
  };
}
