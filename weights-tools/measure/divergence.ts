/**
 * Measures how far a model's predictions are from those of a reference model.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { exp, log } from "../../src/base/math.ts";

/** The Kullback-Leibler divergence of a model from a reference, sum p ln(p / q) per prediction, in nats. */
export interface Divergence {
  /** Number of predictions that were compared. */
  readonly predictions: number;
  /** Mean over the predictions. */
  readonly mean: number;
  /** Standard error of the mean. */
  readonly standardError: number;
  /** The median; quantiles are those of the nearest rank. */
  readonly median: number;
  readonly quantile99: number;
  readonly max: number;
  /** Share of the predictions for which both models have the same most likely token. */
  readonly top1: number;
}

/** Collects the divergence of each prediction. */
export class DivergenceMeter {
  readonly #values: number[] = [];
  #agreed = 0;

  /**
   * Adds a prediction.
   * @param reference the reference's logits [vocabulary]
   * @param model the model's logits [vocabulary]
   * @throws NibbleError `bad_shape` for vocabularies of different sizes, `non_finite_logits`
   */
  add(reference: Float32Array, model: Float32Array): void {
    if (reference.length !== model.length)
      throw new NibbleError(
        "bad_shape",
        `logits: expected the reference's vocabulary of ${reference.length} tokens, got ${model.length}`,
      );
    const p = partition(reference);
    const q = partition(model);
    let sum = 0;
    for (let i = 0; i < reference.length; i++) {
      const logP = reference[i]! - p.logSum;
      sum += exp(logP) * (logP - (model[i]! - q.logSum));
    }
    this.#values.push(Math.max(sum, 0)); // rounding may leave -1e-17
    if (p.best === q.best) this.#agreed++;
  }

  result(): Divergence {
    const values = Float64Array.from(this.#values).sort();
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(count - 1, 1);
    const quantile = (share: number): number => values[Math.max(Math.ceil(share * count) - 1, 0)]!;
    return {
      predictions: count,
      mean,
      standardError: Math.sqrt(variance / count),
      median: quantile(0.5),
      quantile99: quantile(0.99),
      max: quantile(1),
      top1: this.#agreed / count,
    };
  }
}

/** ln sum e^logits in double precision, and the index of the first largest logit. */
function partition(logits: Float32Array): { logSum: number; best: number } {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  let sum = 0;
  for (const logit of logits) sum += exp(logit - logits[best]!);
  const logSum = logits[best]! + log(sum);
  if (!Number.isFinite(logSum)) throw new NibbleError("non_finite_logits", "logits must be finite numbers");
  return { logSum, best };
}

/** -ln softmax(logits)[id], in double precision. @throws NibbleError `invalid_argument`, `non_finite_logits` */
export function negativeLogLikelihood(logits: Float32Array, id: number): number {
  if (!(id >= 0 && id < logits.length))
    throw new NibbleError("invalid_argument", `token id: expected 0 to ${logits.length - 1}, got ${id}`);
  const result = partition(logits).logSum - logits[id]!;
  if (!Number.isFinite(result)) throw new NibbleError("non_finite_logits", "logits must be finite numbers");
  return result;
}
