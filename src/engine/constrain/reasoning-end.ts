/**
 * Finds the token that ends a model's reasoning, for what holds for the answer only.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG } from "../../chat/reasoning.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";

/** Tokens of a vocabulary that matter at the end of reasoning; made once. */
export interface ReasoningTokens {
  /** `<think>`: one token, or several where it is no word of the vocabulary. */
  readonly opening: readonly number[];
  /** White space only. */
  readonly blank: readonly number[];
  /**
   * By the number of characters of `</think>` that the text ends with: tokens that complete it and begin the answer at
   * once. Nobody could hold that beginning to a grammar, so they must not come.
   */
  readonly overruns: readonly (readonly number[])[];
}

export function reasoningTokens(tokenizer: Tokenizer): ReasoningTokens {
  const blank: number[] = [];
  const overruns: number[][] = Array.from({ length: CLOSE_TAG.length }, () => []);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (tokenizer.isSpecial(id)) continue;
    const text = tokenizer.token(id);
    if (text !== "" && text.trim() === "") blank.push(id);
    const whole = text.indexOf(CLOSE_TAG);
    if (whole >= 0 && text.slice(whole + CLOSE_TAG.length).trim() !== "") for (const ids of overruns) ids.push(id);
    for (let done = 1; done < CLOSE_TAG.length; done++) {
      const rest = CLOSE_TAG.slice(done);
      if (text.startsWith(rest) && text.slice(rest.length).trim() !== "") overruns[done]!.push(id);
    }
  }
  return { opening: tokenizer.encode(OPEN_TAG, { special: true, addBos: false }), blank, overruns };
}

/** The text of a reasoning, as far as it can still become its end. */
export class ReasoningEnd {
  #tail = "";

  /** Characters of `</think>` that have come. */
  get matched(): number {
    for (let length = CLOSE_TAG.length - 1; length > 0; length--) {
      if (this.#tail.endsWith(CLOSE_TAG.slice(0, length))) return length;
    }
    return 0;
  }

  /** @returns true if the reasoning has ended */
  push(text: string): boolean {
    const all = this.#tail + text;
    this.#tail = all.slice(1 - CLOSE_TAG.length);
    return all.includes(CLOSE_TAG);
  }
}
