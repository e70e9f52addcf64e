/**
 * Holds one answer to a grammar. Reasoning before it is free; the grammar begins behind `</think>`.
 * @module
 */
import type { State } from "../../grammar/matcher/state.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { addToken, emptyMask, fullMask, removeToken, type TokenMask } from "../sample/token-mask.ts";
import { ReasoningEnd, type ReasoningTokens } from "./reasoning-end.ts";

export interface ConstraintOptions {
  readonly masks: TokenMasks;
  /** Given where the model may reason first; `opened` if the prompt ends inside of a `<think>` block. */
  readonly reasoning: { readonly tokens: ReasoningTokens; readonly opened: boolean } | undefined;
}

export class Constraint {
  readonly #masks: TokenMasks;
  readonly #tokenizer: Tokenizer;
  readonly #endIds: ReadonlySet<number>;
  readonly #tokens: ReasoningTokens | undefined;
  readonly #scratch: TokenMask;
  #state: State;
  /** Looks for the end of the reasoning; undefined when the model does not reason. */
  #open: ReasoningEnd | undefined;
  /** The tokens that open a `<think>` block, while they may come; behind the first of them the others must come. */
  #opening: readonly number[] | undefined;
  #opened = 0;
  /** White space may come between reasoning and answer. */
  #gap = false;

  constructor({ masks, reasoning }: ConstraintOptions, tokenizer: Tokenizer, endIds: ReadonlySet<number>) {
    this.#masks = masks;
    this.#tokenizer = tokenizer;
    this.#endIds = endIds;
    this.#tokens = reasoning?.tokens;
    this.#scratch = emptyMask(tokenizer.vocabSize);
    this.#state = masks.matcher.start;
    if (reasoning?.opened) this.#open = new ReasoningEnd();
    else this.#opening = reasoning?.tokens.opening;
  }

  /** The answer is complete, and nothing may follow. */
  get done(): boolean {
    return !this.#open && this.#opened === 0 && this.#state.mayEnd && this.#state.nodes.length === 0;
  }

  /**
   * Tokens that may come next, end tokens only where the grammar accepts the text. Valid until the next call.
   * @throws NibbleError `invalid_argument` if the grammar reads the text in too many ways
   */
  mask(): TokenMask {
    const mask = this.#scratch;
    if (this.#open) {
      mask.set(fullMask(this.#tokenizer.vocabSize));
      for (const id of this.#tokens!.overruns[this.#open.matched]!) removeToken(mask, id);
      for (const id of this.#endIds) removeToken(mask, id);
      return mask;
    }
    if (this.#opened > 0) {
      mask.fill(0);
      addToken(mask, this.#opening![this.#opened]!);
      return mask;
    }
    mask.set(this.#masks.mask(this.#state));
    if (this.#gap) for (const id of this.#tokens!.blank) addToken(mask, id);
    if (this.#opening) addToken(mask, this.#opening[0]!);
    const change = this.#state.mayEnd ? addToken : removeToken;
    for (const id of this.#endIds) change(mask, id);
    return mask;
  }

  /** Takes a token that the mask allowed. End tokens change nothing. */
  accept(id: number): void {
    if (this.#endIds.has(id)) return;
    if (this.#opening && id === this.#opening[this.#opened]) {
      if (++this.#opened < this.#opening.length) return;
      this.#open = new ReasoningEnd();
      this.#opened = 0;
      this.#opening = undefined;
      return;
    }
    this.#opening = undefined;
    if (this.#open) {
      if (!this.#open.push(this.#tokenizer.token(id))) return;
      this.#open = undefined;
      this.#gap = true;
      return;
    }
    if (this.#gap && this.#tokenizer.token(id).trim() === "") return;
    this.#gap = false;
    this.#state = this.#masks.read(this.#state, id);
  }
}
