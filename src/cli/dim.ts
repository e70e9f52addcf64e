/**
 * Reasoning in dim letters on a terminal, tags included, in a stream of pieces.
 * @module
 */
const OPEN = "<think>";
const CLOSE = "</think>";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[22m";

/** Only a block at the start is reasoning: an answer may talk about the tag. Nothing is lost or added but the style. */
export class ReasoningDimmer {
  #state: "start" | "reasoning" | "answer" = "start";
  /** At the start: what may become the tag. In reasoning: as much as may be the first part of its end. */
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

  /** What was held back, and the usual style. */
  end(): string {
    return this.#state === "start" ? this.#tail : this.#state === "reasoning" ? PLAIN : "";
  }
}
