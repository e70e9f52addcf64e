/**
 * Guesses of tokens, of which drafts are made. The model checks every guess, so a wrong one costs time and nothing else.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";
import { fewTokens, hasToken, type TokenMask } from "./token-mask.ts";

/** A token that may come next, and how likely it seems. */
export interface Guess {
  readonly id: number;
  readonly probability: number;
}

/** Where a grammar leaves few tokens. */
export interface Choice {
  readonly mask: TokenMask;
  /** The bytes that must come next; empty where there is a choice. */
  certain(): Uint8Array;
}

/** Masks with more tokens say too little about the next one. */
const MOST_TOKENS = 32;
/**
 * How often such guesses are right, for SmolLM2-135M with JSON schemas: the tokenizer's own token of a text that must come;
 * its last one, which may go on with what is not known yet; and the token that came before where the same were allowed.
 */
const CERTAIN = 0.95;
const SAME_AGAIN = 0.8;
const LAST = 0.7;
/** How many texts are remembered with their tokens. */
const MOST_TEXTS = 1024;

/** Guesses tokens where a grammar leaves few. It learns which of them come. */
export class GrammarGuesses {
  readonly #tokenizer: Tokenizer;
  /** The token that came last, by the tokens that were allowed. */
  readonly #last = new Map<string, number>();
  /** The first token of texts that must come, by their bytes as characters up to U+00FF. */
  readonly #first = new Map<string, Guess>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Takes the token that came where those of the mask were allowed. */
  learn(mask: TokenMask, id: number): void {
    const few = fewTokens(mask, MOST_TOKENS);
    if (few && few.length > 1) this.#last.set(few.join(), id);
  }

  /**
   * The token that came before where the same ones were allowed, else the first one of the text that must come, as the
   * tokenizer divides it: models were trained on texts that it had divided.
   */
  guess({ mask, certain }: Choice): Guess | undefined {
    const few = fewTokens(mask, MOST_TOKENS);
    if (few?.length === 0) return undefined;
    if (few?.length === 1) return { id: few[0]!, probability: 1 };
    const first = this.#firstOf(certain());
    const usual = first && hasToken(mask, first.id) ? first : undefined;
    const last = few && this.#last.get(few.join());
    if (last === undefined) return usual;
    return { id: last, probability: last === usual?.id ? CERTAIN : SAME_AGAIN };
  }

  /** The first token of a text. The others are remembered for the texts that remain behind it. */
  #firstOf(bytes: Uint8Array): Guess | undefined {
    if (bytes.length === 0) return undefined;
    const key = String.fromCharCode(...bytes);
    if (!this.#first.has(key)) {
      if (this.#first.size > MOST_TEXTS) this.#first.clear();
      let at = 0;
      for (const id of this.#tokenizer.encode(wholeText(bytes), { special: false, addBos: false })) {
        const piece = this.#tokenizer.tokenBytes(id);
        if (piece.length === 0 || !piece.every((byte, i) => byte === bytes[at + i])) break;
        const end = at + piece.length;
        this.#first.set(key.slice(at), { id, probability: end < bytes.length ? CERTAIN : LAST });
        at = end;
      }
    }
    return this.#first.get(key);
  }
}

/** The text of bytes up to a character that is cut off; empty if they are no text. */
function wholeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return "";
  }
}
