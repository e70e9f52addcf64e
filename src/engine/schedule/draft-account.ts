/**
 * What a source of drafts has drafted for one request, and what it may still spend.
 * @module
 */
/** What a step adds to a budget below 1. */
const INCOME = 0.01;
const MAX_BUDGET = 4;

/** Guesses are judged by their probability in this many classes. */
const CLASSES = 4;
/** What is assumed of guesses at first counts as so many that were checked; and how often any guess is right, at least. */
const ASSUMED = 2;
const USUALLY_RIGHT = 0.6;

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
  #probabilities: number[] = [];
  /** Guesses that were checked, and those that were right, by class. */
  readonly #checked = new Float64Array(CLASSES);
  readonly #right = new Float64Array(CLASSES);

  /** @param budget at first, in steps */
  constructor(budget: number) {
    this.#budget = budget;
  }

  get budget(): number {
    return this.#budget;
  }

  /**
   * How often a guess of this probability is right, where all before it are, from experience with this request. That is
   * not the probability itself: a source may be too sure of itself, and at higher temperatures two models that agree on the
   * probabilities choose the same token more often, since they share the random number.
   */
  expected(probability: number): number {
    const at = classOf(probability);
    const assumed = Math.max(probability, USUALLY_RIGHT);
    return (this.#right[at]! + ASSUMED * assumed) / (this.#checked[at]! + ASSUMED);
  }

  /** How many guesses of these probabilities are worth their price. */
  worth(probabilities: readonly number[], price: Price): number {
    let [best, most] = [0, 0];
    let [gain, right] = [0, 1];
    for (const [i, probability] of probabilities.entries()) {
      right *= this.expected(probability);
      gain += right;
      const cost = price(i + 1);
      if (gain - cost > most && cost <= this.#budget) [best, most] = [i + 1, gain - cost];
    }
    return best;
  }

  /**
   * Records the draft of a step, which may be empty, and pays for it.
   * @param probabilities of the draft's tokens, if `worth` was asked about them
   */
  pay(draft: readonly number[], cost: number, probabilities: readonly number[] = []): void {
    this.#draft = [...draft];
    this.#probabilities = [...probabilities];
    this.drafted += draft.length;
    this.#budget -= cost;
    if (this.#budget < 1) this.#budget += INCOME;
  }

  /** Takes the next token, and compares it with the draft. */
  confirm(id: number): void {
    if (this.#draft.length === 0) return;
    const right = this.#draft.shift() === id;
    const probability = this.#probabilities.shift();
    if (probability !== undefined) {
      this.#checked[classOf(probability)]!++;
      if (right) this.#right[classOf(probability)]!++;
    }
    if (!right) this.#draft = [];
    else {
      this.accepted++;
      this.#budget = Math.min(MAX_BUDGET, this.#budget + 1);
    }
  }
}

function classOf(probability: number): number {
  return Math.min(CLASSES - 1, Math.floor(probability * CLASSES));
}
