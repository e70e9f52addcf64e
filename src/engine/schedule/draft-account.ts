/**
 * What a source of drafts has drafted for one request, and what it may still spend.
 * @module
 */
/** What a step adds to a budget below 1. */
const INCOME = 0.01;
const MAX_BUDGET = 4;

/** Returns the cost of checking a number of tokens, in units of the step that one correct token saves. */
export type Price = (count: number) => number;

/**
 * Drafts are paid from a budget that correct ones refill. So a source that is wrong loses at most its first budget and 1 %
 * of the steps.
 */
export class DraftAccount {
  /** Tokens drafted so far, and the number of them that were correct. */
  drafted = 0;
  accepted = 0;
  #budget: number;
  #draft: number[] = [];

  /** @param budget at first, in steps */
  constructor(budget: number) {
    this.#budget = budget;
  }

  get budget(): number {
    return this.#budget;
  }

  /** How many of some tokens are worth their price, if each is right with its probability where those before it are. */
  worth(probabilities: readonly number[], price: Price): number {
    let [best, most] = [0, 0];
    let [gain, right] = [0, 1];
    for (const [i, probability] of probabilities.entries()) {
      right *= probability;
      gain += right;
      const cost = price(i + 1);
      if (gain - cost > most && cost <= this.#budget) [best, most] = [i + 1, gain - cost];
    }
    return best;
  }

  /** Records the draft of a step, which may be empty, and pays for it. */
  pay(draft: readonly number[], cost: number): void {
    this.#draft = [...draft];
    this.drafted += draft.length;
    this.#budget -= cost;
    if (this.#budget < 1) this.#budget += INCOME;
  }

  /** Takes the next token, and compares it with the draft. */
  confirm(id: number): void {
    if (this.#draft.shift() !== id) this.#draft = [];
    else {
      this.accepted++;
      this.#budget = Math.min(MAX_BUDGET, this.#budget + 1);
    }
  }
}
