/**
 * Words that must not come: the last token of a word's sequence is forbidden where the answer ends in the others
 * (vLLM's `bad_words`). A word that is spelled by other tokens is not seen.
 * @module
 */
import type { Tokenizer } from "../../tokenizer/types.ts";
import { removeToken, type TokenMask } from "./token-mask.ts";

export class BadWords {
  readonly #sequences: readonly (readonly number[])[];

  constructor(words: readonly string[], tokenizer: Tokenizer) {
    // At a text's beginning and behind a space a word has other tokens.
    const spellings = words.flatMap((word) => [word, ` ${word.trimStart()}`]);
    const ids = spellings.map((text) => tokenizer.encode(text, { special: false, addBos: false }));
    this.#sequences = ids.filter((sequence) => sequence.length > 0);
  }

  /**
   * Takes the tokens that would complete a word out of `mask`.
   * @param length of the answer, the last of `tokens`: words do not reach into the prompt
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
