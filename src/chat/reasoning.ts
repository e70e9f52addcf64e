/**
 * Separates a model's reasoning from its answer in a stream. Reasoning is a `<think>...</think>` block at the start.
 * @module
 */
export interface ReasoningDelta {
  readonly content: string;
  readonly reasoning: string;
}

/** Where a text is: before any of it, inside of the reasoning, between it and the content, or in the content. */
export type ReasoningPhase = "start" | "reasoning" | "gap" | "content";

export const OPEN_TAG = "<think>";
export const CLOSE_TAG = "</think>";

/**
 * Takes text in pieces of any length. However it is cut, the pieces that come out join to the same two texts.
 * Only a block at the start is reasoning (white space may come before it), because an answer may mention the tag.
 * White space at both ends of the reasoning, and between it and the answer, is dropped.
 * A block without an end is reasoning to its last character.
 */
export class ReasoningSplitter {
  #state: ReasoningPhase;
  #held = "";
  #begun = false; // some reasoning that is not white space has come

  /** @param opened whether the prompt ends with `<think>` */
  constructor(opened = false) {
    this.#state = opened ? "reasoning" : "start";
  }

  get phase(): ReasoningPhase {
    return this.#state;
  }

  push(text: string): ReasoningDelta {
    let content = "";
    let reasoning = "";
    this.#held += text;
    if (this.#state === "start") {
      const trimmed = this.#held.trimStart();
      if (trimmed.startsWith(OPEN_TAG)) {
        this.#state = "reasoning";
        this.#held = trimmed.slice(OPEN_TAG.length);
      } else if (!OPEN_TAG.startsWith(trimmed)) {
        this.#state = "content";
      }
    }
    if (this.#state === "reasoning") {
      if (!this.#begun) this.#held = this.#held.trimStart();
      const close = this.#held.indexOf(CLOSE_TAG);
      if (close >= 0) {
        reasoning = this.#held.slice(0, close).trimEnd();
        this.#held = this.#held.slice(close + CLOSE_TAG.length);
        this.#state = "gap";
      } else {
        reasoning = this.#held.slice(0, this.#held.length - unsettled(this.#held)).trimEnd();
        this.#held = this.#held.slice(reasoning.length);
        this.#begun ||= reasoning !== "";
      }
    }
    if (this.#state === "gap") {
      this.#held = this.#held.trimStart();
      if (this.#held !== "") this.#state = "content";
    }
    if (this.#state === "content") {
      content = this.#held;
      this.#held = "";
    }
    return { content, reasoning };
  }

  /** The text that was held back because it could have become a tag. */
  end(): ReasoningDelta {
    const held = this.#held;
    this.#held = "";
    if (this.#state === "reasoning") return { content: "", reasoning: held.trimEnd() };
    return { content: this.#state === "start" ? held : "", reasoning: "" };
  }
}

/** The length of the longest suffix of `text` that is a prefix of the closing tag. */
function unsettled(text: string): number {
  for (let length = Math.min(CLOSE_TAG.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(CLOSE_TAG.slice(0, length))) return length;
  }
  return 0;
}

/** Whether a prompt ends with an open `<think>`, so that the model continues with reasoning. */
export function opensReasoning(prompt: string): boolean {
  return prompt.trimEnd().endsWith(OPEN_TAG);
}
