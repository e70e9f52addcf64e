/**
 * Guesses of tokens, of which drafts are made. The model checks every guess, so a wrong one costs time and nothing else.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";
import { fewTokens, type TokenMask } from "./token-mask.ts";

/** A token that may come next, and how likely it seems. */
export interface Guess {
  readonly id: number;
  readonly probability: number;
}

/** Masks with more tokens say too little about the next one. */
const MOST_TOKENS = 32;
/**
 * How often such guesses are right, for SmolLM2-135M with JSON schemas: the longest token of a text that must come, and the
 * token that came before where the same ones were allowed.
 */
const LONGEST = 0.95;
const SAME_AGAIN = 0.8;

/** Guesses tokens where a grammar leaves few. It learns which of them come. */
export class GrammarGuesses {
  readonly #tokenizer: Tokenizer;
  /** The token that came last, by the tokens that were allowed. */
  readonly #last = new Map<string, number>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Takes the token that came where those of the mask were allowed. */
  learn(mask: TokenMask, id: number): void {
    const few = fewTokens(mask, MOST_TOKENS);
    if (few && few.length > 1) this.#last.set(few.join(), id);
  }

  /**
   * The token that came before where the same ones were allowed, else the longest one if all others begin like it: then
   * the text that follows is certain, and only its tokens are not.
   */
  guess(mask: TokenMask): Guess | undefined {
    const few = fewTokens(mask, MOST_TOKENS);
    if (!few || few.length === 0) return undefined;
    const id = this.#longest(few);
    if (few.length === 1) return { id: few[0]!, probability: 1 };
    const last = this.#last.get(few.join());
    if (last !== undefined) return { id: last, probability: last === id ? LONGEST : SAME_AGAIN };
    return id === undefined ? undefined : { id, probability: LONGEST };
  }

  #longest(ids: readonly number[]): number | undefined {
    const pieces = ids.map((id) => this.#tokenizer.tokenBytes(id));
    const longest = pieces.reduce((a, b) => (b.length > a.length ? b : a));
    const begins = (piece: Uint8Array) => piece.length > 0 && piece.every((byte, i) => byte === longest[i]);
    return pieces.every(begins) ? ids[pieces.indexOf(longest)] : undefined;
  }
}
