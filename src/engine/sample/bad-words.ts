/**
 * Words that must not occur (vLLM's `bad_words`): the last token of a word is forbidden where the answer ends with the
 * tokens before it. A word that is spelled by other tokens is not recognised.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";
import { removeToken, type TokenMask } from "./token-mask.ts";

export class BadWords {
  readonly #sequences: readonly (readonly number[])[];

  constructor(words: readonly string[], tokenizer: Tokenizer) {
    // A word has other tokens behind a space than at the beginning of a text.
    const spellings = words.flatMap((word) => [word, ` ${word.trimStart()}`]);
    const ids = spellings.map((text) => tokenizer.encode(text, { special: false, addBos: false }));
    this.#sequences = ids.filter((sequence) => sequence.length > 0);
  }

  /**
   * Removes the tokens that would complete a word from `mask`.
   * @param length of the answer, which is the end of `tokens`; a word that begins in the prompt does not count
   */
  forbid(mask: TokenMask, tokens: readonly number[], length: number): void {
    for (const sequence of this.#sequences) {
      const before = sequence.length - 1;
      if (before > length) continue;
      const start = tokens.length - before;
      let equal = 0;
      while (equal < before && tokens[start + equal] === sequence[equal]) equal++;
      if (equal === before) removeToken(mask, sequence[before]!);
    }
  }
}
