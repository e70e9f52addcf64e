/**
 * Turns the token ids of an answer into text, piece by piece.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG } from "../../chat/reasoning.ts";
import { CALL_TAGS } from "../../chat/tool-format.ts";
import type { StreamDecoder, Tokenizer } from "../../tokenizer/types.ts";

/** Special tokens are not part of the text, except these tags, which some vocabularies have as special tokens. */
const SHOWN: readonly string[] = [OPEN_TAG, CLOSE_TAG, ...CALL_TAGS];

export class AnswerText {
  readonly #tokenizer: Tokenizer;
  readonly #shown = new Map<number, string>();
  readonly #skipSpecial: boolean;
  #decoder: StreamDecoder;

  /** @param more other special tokens that are part of the text, or all */
  constructor(tokenizer: Tokenizer, more: readonly string[] | "all" = []) {
    this.#tokenizer = tokenizer;
    this.#skipSpecial = more !== "all";
    this.#decoder = tokenizer.decoder({ skipSpecial: this.#skipSpecial });
    for (const text of more === "all" ? [] : [...SHOWN, ...more]) {
      const id = tokenizer.idOf(text);
      if (id !== undefined && tokenizer.isSpecial(id)) this.#shown.set(id, text);
    }
  }

  push(id: number): string {
    const shown = this.#shown.get(id);
    return shown === undefined ? this.#decoder.push(id) : this.end() + shown;
  }

  /** Ends the text. Returns the bytes of an unfinished character as text. */
  end(): string {
    const rest = this.#decoder.end();
    this.#decoder = this.#tokenizer.decoder({ skipSpecial: this.#skipSpecial });
    return rest;
  }
}
