/**
 * Holds one answer to a grammar. Reasoning before it is free; the grammar begins behind `</think>`.
 * @module
 */
import { readTurn } from "../../chat/turn.ts";
import type { State } from "../../grammar/matcher/state.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { addToken, emptyMask, fullMask, removeToken, type TokenMask } from "../sample/token-mask.ts";
import { ReasoningEnd, type ReasoningTokens } from "./reasoning-end.ts";

export interface ConstraintOptions {
  readonly masks: TokenMasks;
  /** The tokens around reasoning, if the model may reason before its answer. */
  readonly reasoning: ReasoningTokens | undefined;
  /** The part of the answer that stands at the end of the prompt, if any. */
  readonly begun?: string;
}

const utf8 = new TextEncoder();

export class Constraint {
  readonly #masks: TokenMasks;
  readonly #tokenizer: Tokenizer;
  readonly #endIds: ReadonlySet<number>;
  readonly #tokens: ReasoningTokens | undefined;
  readonly #scratch: TokenMask;
  #state: State;
  /** Looks for the end of the reasoning; undefined when the model does not reason. */
  #open: ReasoningEnd | undefined;
  /** The tokens that open a `<think>` block, while it may be opened. After the first of them the others must follow. */
  #opening: readonly number[] | undefined;
  #opened = 0;
  /** Whether the text is between reasoning and answer, where white space may come. */
  #gap = false;

  constructor({ masks, reasoning, begun = "" }: ConstraintOptions, tokenizer: Tokenizer, endIds: ReadonlySet<number>) {
    this.#masks = masks;
    this.#tokenizer = tokenizer;
    this.#endIds = endIds;
    this.#tokens = reasoning;
    this.#scratch = emptyMask(tokenizer.vocabSize);
    const { phase, content } = reasoning ? readTurn(begun) : { phase: "content", content: begun };
    this.#state = stateBehind(content, masks);
    if (phase === "reasoning") this.#open = new ReasoningEnd();
    else if (phase === "start") this.#opening = reasoning!.opening;
    this.#gap = phase === "gap";
  }

  /** A copy, which may take other tokens from here on. */
  fork(): Constraint {
    const parts = { masks: this.#masks, reasoning: this.#tokens };
    const copy = new Constraint(parts, this.#tokenizer, this.#endIds);
    copy.#state = this.#state;
    copy.#open = this.#open?.fork();
    copy.#opening = this.#opening;
    copy.#opened = this.#opened;
    copy.#gap = this.#gap;
    return copy;
  }

  /** Whether the answer is complete, so that nothing may follow. */
  get done(): boolean {
    return !this.#open && this.#opened === 0 && this.#state.mayEnd && this.#state.nodes.length === 0;
  }

  /**
   * The tokens that may come next. End tokens are among them only where the grammar accepts the text. The mask is valid
   * until the next call.
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

  /**
   * The bytes that must come next, however they are divided into tokens; empty where there is a choice.
   * @throws NibbleError as `mask`
   */
  certain(): Uint8Array {
    const free = this.#open || this.#opening || this.#gap;
    return free ? new Uint8Array() : this.#masks.certain(this.#state);
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

/**
 * The grammar's state after the beginning of an answer that a prompt contains. If the grammar does not allow that
 * beginning, such as a sentence before some JSON, the grammar holds for the continuation alone.
 */
function stateBehind(content: string, { matcher }: TokenMasks): State {
  const state = matcher.read(matcher.start, utf8.encode(content));
  return matcher.isDead(state) ? matcher.start : state;
}
