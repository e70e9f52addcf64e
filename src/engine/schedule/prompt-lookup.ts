/**
 * Drafts without a draft model: where the last tokens occurred earlier in the text, the tokens that followed then may
 * follow again. The model checks a whole draft in one step, so a wrong draft costs time and never changes a token.
 *
 * Speculative decoding: Leviathan, Kalman, Matias, ICML 2023; drafts from the text itself: Saxena, "Prompt Lookup
 * Decoding", 2023. With random numbers that depend only on the position, a draft needs no acceptance test of its own:
 * a draft is right if the sampler chooses the same token.
 * @module
 */
import { DraftAccount, type Price } from "./draft-account.ts";

/** The fewest tokens that must be equal, and the most that are compared. */
const SHORTEST_MATCH = 4;
const LONGEST_MATCH = 17;
/** How many earlier places are compared, latest first. This bounds the work for text such as `a a a a`. */
const PLACES = 8;
/** The budget at first, in steps. */
const FIRST_BUDGET = 0.6;

/** An earlier occurrence of the last tokens: the place behind it, and how many tokens are equal. */
interface Match {
  readonly next: number;
  readonly length: number;
}

/** One request's drafts. */
export class PromptLookup {
  readonly account: DraftAccount = new DraftAccount(FIRST_BUDGET);
  readonly #tokens: readonly number[];
  readonly #vocabSize: number;
  readonly #max: number;
  readonly #min: number;
  /**
   * The latest end of three tokens, by their hash; and for each place, the previous end of three tokens with the same
   * hash.
   */
  readonly #last = new Map<number, number>();
  readonly #previous: number[] = [-1, -1];

  /**
   * @param tokens prompt and answer so far: a list that grows while it is used
   * @param most and fewest tokens of a draft; `max` 0: no drafts
   */
  constructor(tokens: readonly number[], vocabSize: number, { max, min = 0 }: { max: number; min?: number }) {
    this.#tokens = tokens;
    this.#vocabSize = vocabSize;
    this.#max = max;
    this.#min = min;
  }

  /**
   * Up to `limit` tokens that may come next. A draft is shorter than the match before it, because matches grow while
   * text is being copied; tokens whose rows cost no time are added. The fewest tokens of a draft may cost more.
   */
  propose(limit: number, price: Price): readonly number[] {
    if (this.#max === 0) return [];
    this.#index();
    const match = this.#find();
    const most = Math.min(this.account.budget, price(Math.max(0, match.length - 1)));
    let count = match.length > 0 ? Math.max(0, Math.min(limit, this.#max)) : 0;
    if (count < this.#min) count = 0;
    while (count > this.#min && price(count) > most) count--;
    const draft = this.#copy(match.next, count);
    this.account.pay(draft, price(count));
    return draft;
  }

  /** Records where every three tokens ended, except the last three, which are looked up. */
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

  /** The longest match with the last tokens, of equals the latest; its length is 0 if there is none. */
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

  /** Copies tokens from a place on. Beyond the last token it reads its own output, as LZ77 does. */
  #copy(from: number, count: number): number[] {
    const draft: number[] = [];
    for (let at = from; draft.length < count; at++) {
      draft.push(at < this.#tokens.length ? this.#tokens[at]! : draft[at - this.#tokens.length]!);
    }
    return draft;
  }
}
