/**
 * How far a model's predictions are from a reference model's, token by token.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { exp, log } from "../../src/base/math.ts";

export interface Divergence {
  /** Predictions compared. */
  readonly predictions: number;
  /** Kullback-Leibler divergence of the model from the reference, sum p ln(p / q), in nats: its mean over predictions, */
  readonly mean: number;
  /** the standard error of that mean, */
  readonly standardError: number;
  /** and quantiles (nearest rank). */
  readonly median: number;
  readonly quantile99: number;
  readonly max: number;
  /** Share of predictions in which both put the same token first. */
  readonly top1: number;
}

/** Collects one divergence a prediction. */
export class DivergenceMeter {
  readonly #values: number[] = [];
  #agreed = 0;

  /**
   * @param reference logits [vocabulary]
   * @param model the same of the model in question
   * @throws NibbleError `bad_shape` for vocabularies of different sizes, `non_finite_logits`
   */
  add(reference: Float32Array, model: Float32Array): void {
    if (reference.length !== model.length)
      throw new NibbleError("bad_shape", `expected a vocabulary of ${reference.length}, got ${model.length}`);
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

/** ln sum e^logits in double precision, and the first largest logit. */
function partition(logits: Float32Array): { logSum: number; best: number } {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  let sum = 0;
  for (const logit of logits) sum += exp(logit - logits[best]!);
  const logSum = logits[best]! + log(sum);
  if (!Number.isFinite(logSum)) throw new NibbleError("non_finite_logits", "expected finite logits, got others");
  return { logSum, best };
}

/** -ln softmax(logits)[id], in double precision. @throws NibbleError `invalid_argument`, `non_finite_logits` */
export function negativeLogLikelihood(logits: Float32Array, id: number): number {
  if (!(id >= 0 && id < logits.length))
    throw new NibbleError("invalid_argument", `expected token ids from 0 to ${logits.length - 1}, got ${id}`);
  const result = partition(logits).logSum - logits[id]!;
  if (!Number.isFinite(result)) throw new NibbleError("non_finite_logits", "expected finite logits, got others");
  return result;
}
