/**
 * Reads the tokens of a template one after the other.
 * @module
 */
import { fail } from "./errors.ts";
import type { Token } from "./lexer.ts";

/** Most levels of brackets, blocks, `not` and `else` inside of each other, which the parser reads by recursion. */
const MAX_NESTING = 64;

/** A position in the tokens, with the checks that parsers make there. */
export class TokenCursor {
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  protected get current(): Token {
    return this.#tokens[this.#at]!;
  }

  protected get following(): Token {
    return this.#tokens[this.#at + 1] ?? this.current;
  }

  protected next(): Token {
    const token = this.current;
    if (token.type !== "end") this.#at++;
    return token;
  }

  protected isName(name: string, token: Token = this.current): boolean {
    return token.type === "name" && token.value === name;
  }

  protected skip(type: string): boolean {
    const found = this.current.type === type;
    if (found) this.next();
    return found;
  }

  protected skipName(name: string): boolean {
    const found = this.isName(name);
    if (found) this.next();
    return found;
  }

  protected expect(type: string): Token {
    if (this.current.type !== type) this.unexpected(`'${type}'`);
    return this.next();
  }

  protected expectName(name?: string): string {
    if (this.current.type !== "name" || (name !== undefined && this.current.value !== name)) {
      this.unexpected(name === undefined ? "a name" : `'${name}'`);
    }
    return this.next().value as string;
  }

  protected unexpected(wanted: string): never {
    const { type, value, line } = this.current;
    fail(`expected ${wanted}, got ${type === "end" ? "the end of the template" : `'${value}'`}`, line);
  }

  protected deeper<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) fail(`brackets and blocks nest deeper than ${MAX_NESTING}`, this.current.line);
    const result = parse();
    this.#nesting--;
    return result;
  }
}
