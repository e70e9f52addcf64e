/**
 * Splits source into tokens, by the rules of Jinja2's lexer, with or without `trim_blocks` and `lstrip_blocks`
 * (https://jinja.palletsprojects.com/templates/#whitespace-control), in linear time.
 * @module
 */
import { fail } from "./errors.ts";

/** `type` is "data", "name", "string", "integer", "float", "end", a delimiter such as "{%", or an operator itself. */
export interface Token {
  readonly type: string;
  readonly value: string | bigint | number;
  readonly line: number;
}

/** The white space of Python's `str.isspace` and `\s`, as the inside of a character class. */
export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** The line ends of `str.splitlines` except `\r\n`, as the inside of a character class. */
export const LINE_END = "\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029";

const DIGITS = "\\d+(?:_\\d+)*";
const SPACES: RegExp = new RegExp(`[${SPACE}]+`, "y");
const ONLY_SPACES: RegExp = new RegExp(`^[${SPACE}]+$`);
const RAW: RegExp = new RegExp(`\\{%[-+]?[${SPACE}]*raw[${SPACE}]*(?:-%\\}[${SPACE}]*|%\\})`, "y");
const END_RAW: RegExp = new RegExp(`\\{%([-+]?)[${SPACE}]*endraw[${SPACE}]*(?:\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?)`, "g");
const FLOAT: RegExp = new RegExp(`${DIGITS}(?:(?:\\.${DIGITS})?[eE][+-]?${DIGITS}|\\.${DIGITS})`, "y");
const INTEGER = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y;
const NAME = /[_\p{ID_Start}]\p{ID_Continue}*/uy;
const OPERATOR = /\/\/|\*\*|[=!<>]=|[-+/*%~[\](){}<>=.:|,;]/y;
const ESCAPE =
  /\\(?:(\n)|([\\'"abfnrtv])|([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([xuUN])|([\s\S]))/g;
const SIMPLE = "\\'\"abfnrtv";
const SIMPLE_VALUES = "\\'\"\x07\b\f\n\r\t\v";
const CLOSING: ReadonlyMap<string, string> = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);

/**
 * The tokens of a template.
 * @param trims whether white space before a block at the beginning of a line, and a line end after a block, are dropped
 * @throws JinjaError for text that no token matches, and for tags that do not end
 */
export function tokenize(source: string, trims: boolean): Token[] {
  return new Lexer(source, trims).run();
}

/** Turns all line ends into `\n`, and drops one at the end of the source. */
function normalize(source: string): string {
  const text = source.replace(/\r\n?/g, "\n");
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

class Lexer {
  readonly #source: string;
  readonly #trims: boolean;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** Whether the text after the last tag begins a line. */
  #lineStarts = true;

  constructor(source: string, trims: boolean) {
    this.#source = normalize(source);
    this.#trims = trims;
  }

  run(): Token[] {
    while (this.#at < this.#source.length) {
      const open = this.#nextTag();
      if (open < 0) {
        this.#push("data", this.#source.slice(this.#at));
        break;
      }
      this.#tag(open);
    }
    this.#push("end", "");
    return this.#tokens;
  }

  #nextTag(): number {
    for (let at = this.#at; ; at++) {
      at = this.#source.indexOf("{", at);
      if (at < 0 || "%{#".includes(this.#source[at + 1] ?? " ")) return at;
    }
  }

  #tag(open: number): void {
    const kind = this.#source.slice(open, open + 2);
    const sign = /[-+]/.test(this.#source[open + 2] ?? "") ? this.#source[open + 2]! : "";
    this.#data(this.#source.slice(this.#at, open), sign, kind);
    this.#at = open;
    if (kind === "{%" && this.#match(RAW)) {
      this.#raw();
      return;
    }
    this.#at = open + 2 + sign.length;
    if (kind === "{#") this.#comment();
    else {
      this.#push(kind, kind);
      this.#expression(kind === "{%" ? "%}" : "}}");
    }
  }

  /** Adds the text before a tag, without the white space that the tag strips. */
  #data(text: string, sign: string, kind: string): void {
    let kept = text;
    if (sign === "-") kept = trimEnd(text);
    else if (this.#trims && sign !== "+" && kind !== "{{") {
      const lineStart = text.lastIndexOf("\n") + 1;
      if ((lineStart > 0 || this.#lineStarts) && ONLY_SPACES.test(text.slice(lineStart)))
        kept = text.slice(0, lineStart);
    }
    if (kept !== "") this.#push("data", kept);
    this.#count(text);
  }

  #comment(): void {
    const end = this.#source.indexOf("#}", this.#at);
    if (end < 0) fail("a comment does not end", this.#line);
    const sign = end > this.#at ? this.#source[end - 1] : "";
    this.#count(this.#source.slice(this.#at, end));
    this.#at = end + 2;
    this.#close(sign === "-" || sign === "+" ? sign : "", true);
  }

  #raw(): void {
    END_RAW.lastIndex = this.#at;
    const end = END_RAW.exec(this.#source);
    if (!end) fail("a raw block does not end", this.#line);
    this.#data(this.#source.slice(this.#at, end.index), end[1]!, "{%");
    const tag = !this.#trims && end[0].endsWith("%}\n") ? end[0].slice(0, -1) : end[0];
    this.#count(tag);
    this.#at = end.index + tag.length;
    this.#lineStarts = tag.endsWith("\n");
  }

  /** Skips white space after a tag: all of it after `-`, else one line end after a block or comment. */
  #close(sign: string, trims: boolean): void {
    const from = this.#at;
    if (sign === "-") this.#match(SPACES);
    else if (this.#trims && sign !== "+" && trims && this.#source[this.#at] === "\n") this.#at++;
    this.#count(this.#source.slice(from, this.#at));
    this.#lineStarts = this.#at > from && this.#source[this.#at - 1] === "\n";
  }

  #expression(close: "%}" | "}}"): void {
    const open: string[] = [];
    while (this.#at < this.#source.length) {
      if (open.length === 0) {
        const first = this.#source[this.#at]!;
        const sign = first === "-" || (first === "+" && close === "%}") ? first : "";
        if (this.#source.startsWith(close, this.#at + sign.length)) {
          this.#push(close, close);
          this.#at += sign.length + 2;
          this.#close(sign, close === "%}");
          return;
        }
      }
      this.#token(open);
    }
  }

  #token(open: string[]): void {
    const space = this.#match(SPACES);
    if (space !== undefined) {
      this.#count(space);
      return;
    }
    const float = this.#source[this.#at - 1] === "." ? undefined : this.#match(FLOAT);
    if (float !== undefined) {
      this.#push("float", Number(float.replaceAll("_", "")));
      return;
    }
    const integer = this.#match(INTEGER);
    if (integer !== undefined) {
      this.#push("integer", readInteger(integer.replaceAll("_", ""), this.#line));
      return;
    }
    const name = this.#match(NAME);
    if (name !== undefined) {
      this.#push("name", name);
      return;
    }
    const quote = this.#source[this.#at]!;
    if (quote === "'" || quote === '"') {
      this.#string(quote);
      return;
    }
    const operator = this.#match(OPERATOR);
    if (operator === undefined) fail(`unexpected character ${JSON.stringify(quote)}`, this.#line);
    if (CLOSING.has(operator)) open.push(CLOSING.get(operator)!);
    else if (/[)\]}]/.test(operator) && open.pop() !== operator) fail(`unexpected '${operator}'`, this.#line);
    this.#push(operator, operator);
  }

  #string(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#source.length && this.#source[end] !== quote) end += this.#source[end] === "\\" ? 2 : 1;
    if (end >= this.#source.length) fail("a string does not end", this.#line);
    const text = this.#source.slice(this.#at + 1, end);
    this.#push("string", readEscapes(text, this.#line));
    this.#count(text);
    this.#at = end + 1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #push(type: string, value: string | bigint | number): void {
    this.#tokens.push({ type, value, line: this.#line });
  }

  #count(text: string): void {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#line++;
  }
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ONLY_SPACES.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

function readInteger(text: string, line: number): bigint {
  if (text.length > 4300) fail("an integer has more than 4300 digits", line);
  return BigInt(text);
}

/** Replaces the escapes of Python. Unknown ones are kept. */
function readEscapes(text: string, line: number): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (whole, newline, simple, octal, x, u, long, bad) => {
    if (newline) return "";
    if (simple) return SIMPLE_VALUES[SIMPLE.indexOf(simple)]!;
    if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
    const hex = x ?? u ?? long;
    if (hex !== undefined && Number.parseInt(hex, 16) <= 0x10ffff)
      return String.fromCodePoint(Number.parseInt(hex, 16));
    if (bad || hex) fail(`the escape ${whole}... cannot be decoded`, line);
    return whole;
  });
}
