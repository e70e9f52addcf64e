/**
 * Shows reasoning and its tags dimmed on a terminal, in a stream of pieces.
 * @module
 */
const OPEN = "<think>";
const CLOSE = "</think>";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[22m";

/** Only a block at the start is reasoning, since an answer may write about the tag. The text itself is not changed. */
export class ReasoningDimmer {
  #state: "start" | "reasoning" | "answer" = "start";
  /** At the start: text that may become the opening tag. In reasoning: text that may begin the closing tag. */
  #tail = "";

  push(piece: string): string {
    if (this.#state === "answer") return piece;
    this.#tail += piece;
    let style = "";
    if (this.#state === "start") {
      const text = this.#tail.trimStart();
      if (!text.startsWith(OPEN)) {
        if (OPEN.startsWith(text)) return "";
        this.#state = "answer";
        return this.#tail;
      }
      this.#state = "reasoning";
      style = DIM;
      piece = this.#tail;
    }
    const close = this.#tail.indexOf(CLOSE);
    if (close < 0) {
      this.#tail = this.#tail.slice(1 - CLOSE.length);
      return style + piece;
    }
    this.#state = "answer";
    const after = this.#tail.slice(close + CLOSE.length);
    return `${style}${piece.slice(0, piece.length - after.length)}${PLAIN}${after}`;
  }

  /** The text that was held back, and the escape sequence that ends the style. */
  end(): string {
    return this.#state === "start" ? this.#tail : this.#state === "reasoning" ? PLAIN : "";
  }
}
