/**
 * Bounds a model's reasoning: after a number of tokens its block is closed, and the model continues with the answer.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG } from "../../chat/reasoning.ts";
import { readTurn } from "../../chat/turn.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { ReasoningEnd } from "./reasoning-end.ts";

export class ReasoningBudget {
  readonly #budget: number;
  readonly #tokenizer: Tokenizer;
  /** The tokens of `</think>`; in most vocabularies it is one. */
  readonly #closing: readonly number[];
  readonly #end = new ReasoningEnd();
  #state: "start" | "open" | "answer";
  #start = "";
  #spent = 0;
  #closed = 0;

  /** @param begun the part of the answer that stands at the end of the prompt */
  constructor(budget: number, tokenizer: Tokenizer, begun: string) {
    this.#budget = budget;
    this.#tokenizer = tokenizer;
    this.#closing = tokenizer.encode(CLOSE_TAG, { special: true, addBos: false });
    const { phase } = readTurn(begun);
    this.#state = phase === "reasoning" ? "open" : phase === "start" ? "start" : "answer";
  }

  /** The token that has to come next, once the budget is used up. */
  get forced(): number | undefined {
    return this.#state === "open" && this.#spent >= this.#budget ? this.#closing[this.#closed] : undefined;
  }

  /** Takes the token that came. */
  accept(id: number): void {
    if (this.#state === "answer") return;
    const text = this.#tokenizer.token(id);
    if (this.#state === "start") {
      this.#start += text;
      const begin = this.#start.trimStart();
      if (begin.startsWith(OPEN_TAG)) this.#state = "open";
      else if (!OPEN_TAG.startsWith(begin)) this.#state = "answer";
      return;
    }
    if (this.#spent >= this.#budget) this.#closed++;
    else this.#spent++;
    // All closing tokens may have come without their text in one piece, if a broken character stands before them.
    if (this.#end.push(text) || this.#closed === this.#closing.length) this.#state = "answer";
  }
}
