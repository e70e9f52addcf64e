/**
 * Finds the token that ends a model's reasoning, for constraints that hold for the answer only.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG } from "../../chat/reasoning.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";

/** The tokens of a vocabulary that matter where reasoning begins or ends. */
export interface ReasoningTokens {
  /** The tokens of `<think>`: one, or several where the vocabulary does not have the tag. */
  readonly opening: readonly number[];
  /** Tokens of white space only. */
  readonly blank: readonly number[];
  /**
   * The tokens that would complete `</think>` and also begin the answer, by the number of the tag's characters with
   * which the text ends. That beginning could not be held to a grammar, so these tokens must not come.
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

/** Keeps the end of a reasoning's text, as far as it may be part of the closing tag. */
export class ReasoningEnd {
  #tail = "";

  fork(): ReasoningEnd {
    const copy = new ReasoningEnd();
    copy.#tail = this.#tail;
    return copy;
  }

  /** The number of characters of `</think>` with which the text ends. */
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
