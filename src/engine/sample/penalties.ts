/**
 * Penalties on tokens that occur in the recent text, the prompt included.
 * @module
 */
import type { Candidates } from "./candidates.ts";

export interface PenaltyOptions {
  readonly repeatPenalty: number;
  readonly repeatLastN: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
}

/** One request's penalties, and the counts that they need. */
export class Penalties {
  readonly #options: PenaltyOptions;
  readonly #counts = new Map<number, number>();
  #counted = 0;

  constructor(options: PenaltyOptions) {
    this.#options = options;
  }

  /**
   * First positive logits are divided and negative ones multiplied by `repeatPenalty` (Keskar et al. 2019); then
   * `frequencyPenalty` times the count and `presencePenalty` are subtracted.
   * @param tokens prompt and answer so far; a list that grows from call to call
   */
  apply(candidates: Candidates, tokens: readonly number[]): void {
    const { repeatPenalty, frequencyPenalty, presencePenalty } = this.#options;
    candidates.change(this.#count(tokens), (logit, count) => {
      const repeated = logit > 0 ? logit / repeatPenalty : logit * repeatPenalty;
      return repeated - count * frequencyPenalty - presencePenalty;
    });
  }

  /** Counts of the last `repeatLastN` tokens, brought up to date. */
  #count(tokens: readonly number[]): ReadonlyMap<number, number> {
    const { repeatLastN } = this.#options;
    const counts = this.#counts;
    for (; this.#counted < tokens.length; this.#counted++) {
      const id = tokens[this.#counted]!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (repeatLastN < 0 || this.#counted < repeatLastN) continue;
      const old = tokens[this.#counted - repeatLastN]!;
      const count = counts.get(old)! - 1;
      if (count > 0) counts.set(old, count);
      else counts.delete(old);
    }
    return counts;
  }
}
