/**
 * Drafts without a draft model: where the last tokens stood before, what followed then may follow again. The model
 * checks all of a draft in one step, so a wrong one costs time and never changes a token.
 *
 * Speculative decoding: Leviathan, Kalman, Matias, ICML 2023; drafts from the text itself: Saxena, "Prompt Lookup
 * Decoding", 2023. With random numbers that depend only on the position, a draft needs no acceptance test of its own:
 * it is right if the sampler chooses the same token.
 * @module
 */
/** Tokens that must be equal, and the most that are compared. */
const SHORTEST_MATCH = 4;
const LONGEST_MATCH = 17;
/** Earlier places that are compared, latest first: bounds the work for text such as `a a a a`. */
const PLACES = 8;
/** A purse, in steps: at the start, what a step adds where it holds less than 1, and the most that it holds. */
const START = 0.6;
const INCOME = 0.01;
const MOST = 4;

/** Where the last tokens stood before: the place after them, and how many are equal. */
interface Match {
  readonly next: number;
  readonly length: number;
}

/** One request's drafts. */
export class PromptLookup {
  /** Tokens drafted so far, and how many of them came true. */
  drafted = 0;
  accepted = 0;
  readonly #tokens: readonly number[];
  readonly #vocabSize: number;
  readonly #max: number;
  /** By hash: where these three tokens ended last; and for each place, where a hash like its own ended before. */
  readonly #last = new Map<number, number>();
  readonly #previous: number[] = [-1, -1];
  #draft: number[] = [];
  #purse: number = START;

  /**
   * @param tokens prompt and answer so far: the list itself, which grows
   * @param max most tokens of a draft; 0: none
   */
  constructor(tokens: readonly number[], vocabSize: number, max: number) {
    this.#tokens = tokens;
    this.#vocabSize = vocabSize;
    this.#max = max;
  }

  /**
   * Up to `limit` tokens that may come next: fewer than are equal before them, for text that is being copied matches
   * the longer the longer it goes on, and then as many as come for the same price. Drafts are paid from a purse, and
   * what comes true fills it, so text that does not repeat loses 0.6 steps and 1 % of its steps to them, and no more.
   * @param price of so many tokens, in steps that a right one saves
   */
  propose(limit: number, price: (count: number) => number): readonly number[] {
    if (this.#max === 0) return [];
    this.#index();
    const match = this.#find();
    const most = Math.min(this.#purse, price(Math.max(0, match.length - 1)));
    let count = match.length > 0 ? Math.max(0, Math.min(limit, this.#max)) : 0;
    while (count > 0 && price(count) > most) count--;
    this.#draft = this.#copy(match.next, count);
    this.#purse -= price(count);
    if (this.#purse < 1) this.#purse += INCOME;
    this.drafted += this.#draft.length;
    return [...this.#draft];
  }

  /** The next token. */
  confirm(id: number): void {
    if (this.#draft.shift() !== id) this.#draft = [];
    else {
      this.accepted++;
      this.#purse = Math.min(MOST, this.#purse + 1);
    }
  }

  /** Notes where three tokens ended, all but the last three: those are looked for. */
  #index(): void {
    for (let end = this.#previous.length; end < this.#tokens.length - 1; end++) {
      const hash = this.#hash(end);
      this.#previous.push(this.#last.get(hash) ?? -1);
      this.#last.set(hash, end);
    }
  }

  #hash(end: number): number {
    const tokens = this.#tokens;
    return (tokens[end - 2]! * this.#vocabSize + tokens[end - 1]!) * this.#vocabSize + tokens[end]!;
  }

  /** The longest match with the last tokens, of equals the latest; of length 0 if there is none. */
  #find(): Match {
    const tokens = this.#tokens;
    const end = tokens.length - 1;
    let best: Match = { next: 0, length: 0 };
    let place = this.#last.get(this.#hash(end)) ?? -1;
    for (let i = 0; i < PLACES && place >= 0 && best.length < LONGEST_MATCH; i++) {
      let length = 0;
      while (length < LONGEST_MATCH && length <= place && tokens[place - length] === tokens[end - length]) length++;
      if (length >= SHORTEST_MATCH && length > best.length) best = { next: place + 1, length };
      place = this.#previous[place]!;
    }
    return best;
  }

  /** Goes on from a place; beyond the last token it reads what it wrote itself, as LZ77 does. */
  #copy(from: number, count: number): number[] {
    const draft: number[] = [];
    for (let at = from; draft.length < count; at++) {
      draft.push(at < this.#tokens.length ? this.#tokens[at]! : draft[at - this.#tokens.length]!);
    }
    return draft;
  }
}
