/**
 * Holds calls that a model makes by itself to the schemas of their tools. The text before and after a call is free.
 * @module
 */
import { OPEN_TAG } from "../../chat/reasoning.ts";
import { type CallStarts, PYTHON_TAG } from "../../chat/tool-format.ts";
import { readTurn } from "../../chat/turn.ts";
import type { State } from "../../grammar/matcher/state.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { addToken, emptyMask, type TokenMask } from "../sample/token-mask.ts";
import { ReasoningEnd } from "./reasoning-end.ts";

export interface CallConstraintOptions {
  /** The grammar of one call, from the text that begins it. */
  readonly masks: TokenMasks;
  readonly starts: CallStarts;
  /** The part of the answer that stands at the end of the prompt, if any. */
  readonly begun?: string;
}

const utf8 = new TextEncoder();

export class CallConstraint {
  /** An answer may go on after a call, so it never ends here. */
  readonly done = false;
  readonly #masks: TokenMasks;
  readonly #starts: CallStarts;
  readonly #tokenizer: Tokenizer;
  readonly #endIds: ReadonlySet<number>;
  readonly #scratch: TokenMask;
  readonly #longest: number;
  /** The state of the grammar inside of a call; undefined outside. */
  #state: State | undefined;
  #reasoning: ReasoningEnd | undefined;
  /** The end of the text so far, in which a call may begin; undefined if no call may begin any more. */
  #text: string | undefined = "";

  constructor({ masks, starts, begun = "" }: CallConstraintOptions, tokenizer: Tokenizer, endIds: ReadonlySet<number>) {
    this.#masks = masks;
    this.#starts = starts;
    this.#tokenizer = tokenizer;
    this.#endIds = endIds;
    this.#scratch = emptyMask(tokenizer.vocabSize);
    this.#longest = Math.max(...starts.texts.map((text) => text.length));
    const { phase, content } = readTurn(begun);
    if (phase === "reasoning") this.#reasoning = new ReasoningEnd();
    else if (content !== "") this.#find(content);
  }

  /** A copy, which may take other tokens from here on. */
  fork(): CallConstraint {
    const copy = new CallConstraint({ masks: this.#masks, starts: this.#starts }, this.#tokenizer, this.#endIds);
    copy.#state = this.#state;
    copy.#reasoning = this.#reasoning?.fork();
    copy.#text = this.#text;
    return copy;
  }

  /** The tokens that may come next, or undefined for any token. The mask is valid until the next call. */
  mask(): TokenMask | undefined {
    if (!this.#state) return undefined;
    this.#scratch.set(this.#masks.mask(this.#state));
    if (this.#state.mayEnd) for (const id of this.#endIds) addToken(this.#scratch, id);
    return this.#scratch;
  }

  /** The bytes that must come next; empty where there is a choice, and outside of calls. */
  certain(): Uint8Array {
    return this.#state ? this.#masks.certain(this.#state) : new Uint8Array();
  }

  accept(id: number): void {
    if (this.#endIds.has(id)) return;
    if (this.#state) {
      this.#state = this.#masks.read(this.#state, id);
      if (this.#state.mayEnd && this.#state.nodes.length === 0) this.#state = undefined;
      return;
    }
    const piece = this.#tokenizer.token(id);
    if (this.#reasoning) {
      if (this.#reasoning.push(piece)) this.#reasoning = undefined;
    } else if (this.#text !== undefined) this.#find(piece);
  }

  /**
   * Looks for the beginning of a call. A call that is spelled otherwise than in the grammar stays free; the parser may
   * still read it.
   */
  #find(piece: string): void {
    const { texts, anywhere } = this.#starts;
    const text = this.#text + piece;
    const trimmed = text.trimStart();
    if (trimmed === OPEN_TAG) {
      this.#reasoning = new ReasoningEnd();
      this.#text = "";
      return;
    }
    for (const start of texts) {
      const at = anywhere ? text.lastIndexOf(start) : trimmed.startsWith(start) ? text.indexOf(start) : -1;
      if (at < 0) continue;
      const state = this.#masks.matcher.read(this.#masks.matcher.start, utf8.encode(text.slice(at)));
      if (!this.#masks.matcher.isDead(state)) this.#state = state;
      this.#text = anywhere ? "" : undefined;
      return;
    }
    if (anywhere) this.#text = text.slice(1 - this.#longest);
    else if (trimmed === PYTHON_TAG) this.#text = "";
    else this.#text = trimmed.length < this.#longest ? trimmed : undefined;
  }
}
