/**
 * JSON for untrusted files. Unlike JSON.parse, this parser turns objects into Maps (so that no key reaches a
 * prototype), refuses a key that is given twice and an integer that a double cannot hold exactly, and bounds the
 * nesting.
 * @module
 */
import { NibbleError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Default for the levels of nested arrays and objects. tokenizer.json needs 8. */
const MAX_DEPTH = 64;

/** JSON as `parseJson` returns it: objects are Maps, so that no key of a file reaches a prototype. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. */
export type JsonObject = ReadonlyMap<string, Json>;

/** How strict the parser is. */
export interface JsonOptions {
  /** Most levels of nested arrays and objects (default 64). */
  maxDepth?: number;
  /** Refuse numbers with a fraction or exponent, and -0 (default false). */
  integersOnly?: boolean;
  /**
   * Round integers above 2^53 - 1 instead of refusing them (default false). tokenizer_config.json needs it: transformers
   * writes 10^30 for "no limit" in `model_max_length`.
   */
  roundIntegers?: boolean;
  /** The file's name for errors (default "JSON"). */
  name?: string;
}

/**
 * Parses JSON (RFC 8259) from text or UTF-8 bytes.
 * @throws NibbleError `bad_json` with the position in UTF-16 code units; `duplicate_key`; `bad_string` if the bytes are not
 *   UTF-8
 */
export function parseJson(input: string | Uint8Array, options: JsonOptions = {}): Json {
  const text = typeof input === "string" ? input : decodeUtf8(input, options.name ?? "JSON");
  return new Parser(text, options).parse();
}

/** Parses JSON whose value must be an object. @throws NibbleError as `parseJson`, and `bad_json` for another value */
export function parseJsonObject(input: string | Uint8Array, options: JsonOptions = {}): JsonObject {
  const value = parseJson(input, options);
  if (isObject(value)) return value;
  throw new NibbleError("bad_json", `${options.name ?? "JSON"}: the value must be an object`);
}

/** Whether a value of `parseJson` is an object. */
export function isObject(value: unknown): value is JsonObject {
  return value instanceof Map;
}

// UTF-16 code units. Comparing numbers is twice as fast as comparing strings of one character.
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** A recursive descent parser. Its depth is bounded, and so is the stack that it needs. */
class Parser {
  readonly #text: string;
  readonly #options: JsonOptions;
  readonly #maxDepth: number;
  readonly #number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
  #at = 0;
  #depth = 0;

  constructor(text: string, options: JsonOptions) {
    this.#text = text;
    this.#options = options;
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
  }

  parse(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("the end");
    return value;
  }

  #value(): Json {
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return this.#object();
      case OPEN_BRACKET:
        return this.#array();
      case LETTER_T:
        return this.#literal("true", true);
      case LETTER_F:
        return this.#literal("false", false);
      case LETTER_N:
        return this.#literal("null", null);
      default:
        return this.#numberValue();
    }
  }

  #object(): JsonObject {
    const object = new Map<string, Json>();
    let keys = 0;
    this.#open();
    if (this.#take(CLOSE_BRACE)) return this.#close(object);
    do {
      this.#space();
      const start = this.#at;
      if (this.#text.charCodeAt(start) !== QUOTE) throw this.#error("a key");
      const key = this.#string();
      if (!this.#take(COLON)) throw this.#error('":"');
      object.set(key, this.#value());
      if (object.size !== ++keys) {
        throw new NibbleError(
          "duplicate_key",
          `${this.#name()}: key ${JSON.stringify(key)} is in one object twice, again at position ${start}`,
        );
      }
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACE)) throw this.#error('"," or "}"');
    return this.#close(object);
  }

  #array(): Json[] {
    const array: Json[] = [];
    this.#open();
    if (this.#take(CLOSE_BRACKET)) return this.#close(array);
    do array.push(this.#value());
    while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACKET)) throw this.#error('"," or "]"');
    return this.#close(array);
  }

  #open(): void {
    if (++this.#depth > this.#maxDepth) throw this.#error(`at most ${this.#maxDepth} levels`);
    this.#at++;
  }

  #close<T>(value: T): T {
    this.#depth--;
    return value;
  }

  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    for (let at = start; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (unit === BACKSLASH) return this.#escapedString(start, at);
      if (unit < 0x20) {
        this.#at = at;
        throw this.#error("an escape in place of a control character");
      }
    }
    this.#at = text.length;
    throw this.#error("the end of a string");
  }

  /** The string that begins at `start` and has its first backslash at `at`. */
  #escapedString(start: number, at: number): string {
    const text = this.#text;
    let value = "";
    let from = start;
    let escapedUnit = false;
    for (this.#at = at; this.#at < text.length; ) {
      const unit = text.charCodeAt(this.#at);
      if (unit === QUOTE) {
        value += text.slice(from, this.#at);
        // Only \u can spell a lone surrogate, which UTF-8 cannot encode.
        if (escapedUnit && !isWellFormed(value)) throw this.#error("a string without a lone surrogate");
        this.#at++;
        return value;
      }
      if (unit < 0x20) throw this.#error("an escape in place of a control character");
      if (unit !== BACKSLASH) {
        this.#at++;
        continue;
      }
      value += text.slice(from, this.#at++);
      if (text[this.#at] === "u") {
        const digits = text.slice(this.#at + 1, this.#at + 5);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error("four hexadecimal digits after \\u");
        value += String.fromCharCode(Number.parseInt(digits, 16));
        escapedUnit = true;
        this.#at += 5;
      } else {
        const character = escapes.get(text[this.#at] ?? "");
        if (character === undefined) throw this.#error("an escape");
        value += character;
        this.#at++;
      }
      from = this.#at;
    }
    throw this.#error("the end of a string");
  }

  #numberValue(): number {
    this.#number.lastIndex = this.#at;
    const match = this.#number.exec(this.#text);
    if (!match) throw this.#error("a value");
    const [literal, fraction, exponent] = match;
    const value = Number(literal);
    const integer = fraction === undefined && exponent === undefined;
    if (this.#options.integersOnly && (!integer || Object.is(value, -0))) throw this.#error("an integer");
    if (!Number.isFinite(value)) throw this.#error("a number that fits a double");
    if (integer && !Number.isSafeInteger(value) && !this.#options.roundIntegers) {
      throw this.#error("an integer from -(2^53 - 1) to 2^53 - 1");
    }
    this.#at = this.#number.lastIndex;
    return value;
  }

  #literal<T>(literal: string, value: T): T {
    if (!this.#text.startsWith(literal, this.#at)) throw this.#error("a value");
    this.#at += literal.length;
    return value;
  }

  /** Skips white space and then `unit`, if that comes next. Returns whether it did. */
  #take(unit: number): boolean {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== unit) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    const text = this.#text;
    for (; this.#at < text.length; this.#at++) {
      const unit = text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  #name(): string {
    return this.#options.name ?? "JSON";
  }

  #error(expected: string): NibbleError {
    const got = this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 12)) : "the end";
    return new NibbleError("bad_json", `${this.#name()}: expected ${expected} at position ${this.#at}, got ${got}`);
  }
}

/** String.prototype.isWellFormed (ES2024) for older hosts. In a `u` pattern a lone surrogate is a code point of its own. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
