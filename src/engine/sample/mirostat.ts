/**
 * Mirostat (Basu et al. 2021): keeps the surprise of the text, in bits per token, near a target. It removes tokens
 * above a surprise `mu`, and moves `mu` by how surprising the chosen token was.
 * @module
 */
import { log, pow } from "../../base/math.ts";
import { type Candidates, largest } from "./candidates.ts";
import { topK } from "./steps.ts";

export interface MirostatOptions {
  /** Mirostat's version, 1 or 2; 0 is off. */
  readonly mirostat: number;
  readonly mirostatTau: number;
  readonly mirostatEta: number;
}

/** The number of tokens from which the exponent of Zipf's law is estimated, as in llama.cpp and the authors' code. */
const ZIPF_TOKENS = 100;

/** Mirostat for one request. */
export class Mirostat {
  readonly #options: MirostatOptions;
  readonly #vocabSize: number;
  #mu: number;

  constructor(options: MirostatOptions, vocabSize: number) {
    this.#options = options;
    this.#vocabSize = vocabSize;
    this.#mu = 2 * options.mirostatTau;
  }

  /** Removes the tokens that are too surprising; one token always stays. */
  narrow(candidates: Candidates): void {
    if (this.#options.mirostat === 1) topK(candidates, this.#zipfK(candidates));
    else {
      const bits = candidates.temperature * Math.LN2;
      const leastBelowMaximum = candidates.temperature * log(candidates.weigh()) - this.#mu * bits;
      candidates.keepFrom(candidates.maximum() + Math.min(0, leastBelowMaximum));
    }
  }

  /** @param probability of the chosen token among those that stayed */
  observe(probability: number): void {
    const surprise = -log(probability) / Math.LN2;
    this.#mu -= this.#options.mirostatEta * (surprise - this.#options.mirostatTau);
  }

  /** How many tokens to keep for a mean surprise of `mu`, if probabilities follow Zipf's law (equation 4 of the paper). */
  #zipfK(candidates: Candidates): number {
    const { logits, size, temperature } = candidates;
    const order = largest(logits, size, ZIPF_TOKENS);
    let products = 0;
    let squares = 0;
    for (let i = 0; i + 1 < order.length; i++) {
      const step = log((i + 2) / (i + 1));
      products += (step * (logits[order[i]!]! - logits[order[i + 1]!]!)) / temperature;
      squares += step * step;
    }
    if (squares === 0) return 1;
    const exponent = products / squares;
    const excess = exponent - 1;
    const power = pow(2, this.#mu);
    // At an exponent of 1 the fraction is 0 / 0; its limit is power / log N.
    const count =
      Math.abs(excess) < 1e-9 ? power / log(this.#vocabSize) : (excess * power) / (1 - pow(this.#vocabSize, -excess));
    // Equally likely tokens have an exponent of 0: then one of them is kept, or all.
    const k = exponent > 0 ? pow(count, 1 / exponent) : count > 1 ? size : 1;
    return Math.max(1, Math.min(size, Math.floor(k)));
  }
}
