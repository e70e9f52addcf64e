/**
 * Log-probabilities of the model itself, before any sampling step.
 * @module
 */
import { exp, log } from "../../base/math.ts";
import { largest } from "./candidates.ts";

export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

export interface Logprobs extends TokenLogprob {
  /** The most likely tokens, best first; of equals the lower id. */
  readonly top: readonly TokenLogprob[];
}

export interface TokenProb {
  readonly id: number;
  readonly prob: number;
}

/** Probabilities behind all sampling steps. */
export interface Probs extends TokenProb {
  /** The most likely tokens, best first; of equals the lower id. Tokens that the steps removed are not in it. */
  readonly top: readonly TokenProb[];
}

/**
 * Log-softmax of the logits, for some tokens and the `k` most likely ones.
 * @param row f32[vocabSize], the model's logits
 */
export function logSoftmax(
  row: Float32Array,
  ids: readonly number[],
  k: number,
): Pick<Logprobs, "top"> & { readonly of: readonly TokenLogprob[] } {
  const logits = new Float64Array(row);
  const ranked = largest(logits, logits.length, Math.max(1, k));
  const max = logits[ranked[0]!]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += exp(logits[i]! - max);
  const normalizer = max + log(sum);
  const entry = (id: number): TokenLogprob => ({ id, logprob: logits[id]! - normalizer });
  return { of: ids.map(entry), top: Array.from(ranked.subarray(0, k), entry) };
}

/** The same for one token. */
export function logprobs(row: Float32Array, id: number, k: number): Logprobs {
  const { of, top } = logSoftmax(row, [id], k);
  return { ...of[0]!, top };
}
