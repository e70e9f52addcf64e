/**
 * A place among the tokens of LaTeX: what is ahead, and going back where one way of reading leads nowhere.
 * @module
 */
import { type Expression, number } from "./expression.ts";
import type { Token } from "./latex-tokens.ts";

/** The text is not LaTeX that sympy reads. */
export class UnreadableLatex extends Error {}
/** A sign that the grammar does not know was reached; no other way to read the text helps. */
class UnreadableSign extends UnreadableLatex {}
/** Sympy reads the text, and this reader does not: derivatives, integrals, limits. */
export class UnsupportedLatex extends Error {}

export class LatexCursor {
  protected readonly tokens: readonly Token[];
  protected at = 0;
  /** Where a number begins that cannot be read. */
  protected unreadable = -1;

  /** @param tokens the last one is of type `end` */
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  /** The type of a token ahead. */
  protected peek(ahead = 0): string {
    const { type } = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
    if (type === "unreadable") throw new UnreadableSign();
    return type;
  }

  protected take(): Token {
    this.peek();
    return this.tokens[this.at++]!;
  }

  protected accept(type: string): boolean {
    if (this.peek() !== type) return false;
    this.at++;
    return true;
  }

  protected expect(type: string): void {
    if (!this.accept(type)) throw new UnreadableLatex();
  }

  /** Reads by one way, or where that is impossible leaves everything as it was. */
  protected attempt<T>(read: () => T): T | undefined {
    const at = this.at;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UnreadableLatex) || error instanceof UnreadableSign) throw error;
      this.at = at;
      return undefined;
    }
  }

  /** Reads what follows an operator; undefined, and nothing is taken, where nothing can follow it. */
  protected afterOperator<T>(read: () => T): T | undefined {
    return this.attempt(() => {
      this.take();
      return read();
    });
  }

  /** Digits, with commas between thousands, and decimals. */
  protected number(): Expression {
    let digits = "";
    while (this.peek() === "digit") digits += this.take().text;
    const isThousands = (): boolean => this.peek() === "," && [1, 2, 3].every((i) => this.peek(i) === "digit");
    while (isThousands()) {
      this.at++;
      for (let i = 0; i < 3; i++) digits += this.take().text;
    }
    if (this.peek() === "." && this.peek(1) !== "digit") {
      // The last digit goes with the point, to which nothing belongs, so that the text ends before them.
      if (digits.length < 2) throw new UnreadableSign();
      this.unreadable = --this.at;
      return number(digits.slice(0, -1));
    }
    if (this.accept(".")) {
      digits += ".";
      while (this.peek() === "digit") digits += this.take().text;
    }
    // Python has no whole numbers that begin with a zero.
    if (/^0+[1-9]\d*$/.test(digits)) throw new UnreadableSign();
    return number(digits);
  }
}
