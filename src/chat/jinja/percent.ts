/**
 * `text % values`: printf-style formatting (https://docs.python.org/3/library/stdtypes.html#old-string-formatting).
 * @module
 */
import { asInteger } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { charactersIn } from "./code-points.ts";
import { fail } from "./errors.ts";
import { formatFloat, inBase } from "./float-format.ts";
import { numberOf, printInteger, truncate } from "./numbers.ts";
import { escapeCodePoint, escapeHtml, repr, toText } from "./printing.ts";
import { Dict, integerOf, Markup, Range, Tuple, textOf, typeName, Undefined, type Value } from "./values.ts";

const DIRECTIVE = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([\s\S]?)/g;

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly type: string;
}

/** Formats values by a template. @throws JinjaError for values that do not fit its directives */
export function formatPercent(template: string | Markup, values: Value, budget: Budget): Value {
  const escapes = template instanceof Markup;
  const taken = new Values(values);
  let length = 0;
  const text = textOf(template)!.replace(DIRECTIVE, (_whole, key, flags, width, precision, type) => {
    const star = (text: string) => (text === "*" ? Number(asInteger(taken.next())) : Number(text));
    let wide = star(width || "0");
    const exact = precision === undefined ? undefined : Math.max(0, star(precision || "0"));
    if (type === "%") return "%";
    const value = key === undefined ? taken.next() : taken.named(key);
    let marks = flags;
    if (wide < 0) {
      wide = -wide;
      marks += "-";
    }
    budget.string(Math.max(wide, exact ?? 0));
    const written = pad(
      convert(value, { flags: marks, width: wide, precision: exact, type }, escapes, budget),
      marks,
      wide,
    );
    budget.grow((length += written.length), written.length);
    return written;
  });
  taken.finish();
  budget.string(text.length);
  return escapes ? new Markup(text) : text;
}

/** The values of a template, which its directives take in order or by name. */
class Values {
  readonly #whole: Value;
  readonly #items: readonly Value[];
  #taken = 0;
  #byName = false;

  constructor(values: Value) {
    this.#whole = values;
    this.#items = values instanceof Tuple ? values.items : [values];
  }

  next(): Value {
    if (this.#taken >= this.#items.length) fail("not enough arguments for a format string");
    return this.#items[this.#taken++]!;
  }

  named(key: string): Value {
    this.#byName = true;
    if (!(this.#whole instanceof Dict)) fail("a format with names requires a mapping");
    return this.#whole.get(key) ?? fail(`the format's key '${key}' is missing`);
  }

  /** Checks that all values were used. Values with keys or indices need not be used. */
  finish(): void {
    const optional =
      this.#byName ||
      this.#whole instanceof Dict ||
      Array.isArray(this.#whole) ||
      this.#whole instanceof Range ||
      this.#whole instanceof Undefined;
    if (this.#taken < this.#items.length && !optional) fail("not all arguments were converted by a format string");
  }
}

function pad(text: string, flags: string, width: number): string {
  const missing = width - charactersIn(text);
  if (missing <= 0) return text;
  return flags.includes("-") ? text + " ".repeat(missing) : " ".repeat(missing) + text;
}

function convert(value: Value, directive: Directive, escapes: boolean, budget: Budget): string {
  const { type, precision } = directive;
  const safe = (text: string) => (escapes ? escapeHtml(text, budget).text : text);
  switch (type) {
    case "s":
      return cut(escapes ? escapeHtml(value, budget).text : toText(value, budget), precision);
    case "r":
      return cut(safe(repr(value, budget)), precision);
    case "a":
      return cut(safe(ascii(repr(value, budget))), precision);
    case "c": {
      const text = textOf(value);
      if (text !== undefined && charactersIn(text) === 1) return text;
      return String.fromCodePoint(Number(integerOf(value) ?? fail("%c requires an int or a character")));
    }
    case "d":
    case "i":
    case "u": {
      const integer = integerOf(value) ?? (typeof value === "number" ? truncate(value) : wrongNumber(type, value));
      return number(integer < 0n, printInteger(integer < 0n ? -integer : integer, budget), directive);
    }
    case "o":
    case "x":
    case "X": {
      const integer = integerOf(value) ?? fail(`%${type} format: an integer is required, got '${typeName(value)}'`);
      return number(integer < 0n, inBase(integer < 0n ? -integer : integer, type), directive);
    }
    default: {
      if (!/^[eEfFgG]$/.test(type)) fail(`unsupported format character '${type}'`);
      const float = numberOf(value) ?? wrongNumber(type, value);
      const text = formatFloat(Math.abs(float), type, precision ?? 6, directive.flags.includes("#"));
      return number(float < 0 || Object.is(float, -0), text, { ...directive, precision: undefined });
    }
  }
}

function wrongNumber(type: string, value: Value): never {
  if (value instanceof Undefined) value.fail();
  fail(`%${type} format: a real number is required, got '${typeName(value)}'`);
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join("");
}

/** Adds the sign, prefix and zeros to the digits of a number. */
function number(negative: boolean, digits: string, { flags, width, precision, type }: Directive): string {
  const prefix = flags.includes("#") && /[oxX]/.test(type) ? `0${type}` : "";
  const sign = negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  let padded = digits.padStart(precision ?? 0, "0");
  if (flags.includes("0") && !flags.includes("-") && /\d/.test(padded)) {
    padded = padded.padStart(width - sign.length - prefix.length, "0");
  }
  return sign + prefix + padded;
}

/** Python's `ascii()`: characters beyond ASCII become escapes. */
export function ascii(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (char) => escapeCodePoint(char.codePointAt(0)!));
}
