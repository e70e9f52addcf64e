/**
 * `text.format(...)`: replacement fields and format specifications
 * (https://docs.python.org/3/library/string.html#format-string-syntax).
 * @module
 */
import { bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { charactersIn, sliceCharacters } from "./code-points.ts";
import { fail } from "./errors.ts";
import { formatFloat, inBase } from "./float-format.ts";
import { printFloat, printInteger } from "./numbers.ts";
import { ascii } from "./percent.ts";
import { escapeHtml, repr, toText } from "./printing.ts";
import { type Arguments, Callable, Dict, integerOf, Markup, textOf, typeName, type Value } from "./values.ts";

const BRACE = /[{}]/g;
const SPECIFICATION = /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([\s\S])?$/u;

/** How fields such as `{0.name}` and `{0[key]}` read parts of values. */
export interface Access {
  attribute(object: Value, name: string, budget: Budget): Value;
  item(object: Value, key: Value, budget: Budget): Value;
}

/** The method `format` or `format_map` of a text. */
export function formatMethod(self: string | Markup, name: string, access: Access, budget: Budget): Callable {
  return new Callable(name, (args) => {
    const formatter = new Formatter(name === "format" ? args : mapped(args), self instanceof Markup, access, budget);
    const text = formatter.format(textOf(self)!, 2);
    return self instanceof Markup ? new Markup(text) : text;
  });
}

function mapped(args: Arguments): Arguments {
  const [mapping] = bind("format_map", "/ mapping", args);
  if (!(mapping instanceof Dict)) fail("format_map() takes a mapping");
  return { positional: [], named: new Map(Array.from(mapping.pairs(), ([key, value]) => [textOf(key) ?? "", value])) };
}

class Formatter {
  readonly #args: Arguments;
  readonly #escapes: boolean;
  readonly #access: Access;
  readonly #budget: Budget;
  /** The index of the next field without a name; undefined after a field with a number. */
  #automatic: number | undefined = 0;

  constructor(args: Arguments, escapes: boolean, access: Access, budget: Budget) {
    this.#args = args;
    this.#escapes = escapes;
    this.#access = access;
    this.#budget = budget;
  }

  format(template: string, depth: number): string {
    if (depth === 0) fail("a format nests too deep");
    let out = "";
    for (let at = 0; at < template.length; ) {
      const before = out.length;
      BRACE.lastIndex = at;
      const brace = BRACE.exec(template)?.index;
      out += template.slice(at, brace);
      if (brace === undefined) return out;
      at = brace;
      if (template[at + 1] === template[at]) {
        out += template[at];
        at += 2;
      } else {
        if (template[at] === "}") fail("a single '}' in a format string");
        const end = endOfField(template, at);
        out += this.#field(template.slice(at + 1, end), depth);
        at = end + 1;
      }
      this.#budget.grow(out.length, out.length - before);
    }
    return out;
  }

  #field(field: string, depth: number): string {
    const [, name, conversion, specification] =
      /^((?:[^[!:{}]|\[[^\]]*\])*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(field) ??
      fail(`a format has an invalid field '${field}'`);
    let value = this.#value(name!);
    if (conversion !== undefined) value = this.#convert(value, conversion);
    const rules = specification ? this.format(specification, depth - 1) : "";
    if (!this.#escapes) return formatValue(value, rules, this.#budget);
    if (value instanceof Markup && rules !== "") fail("a format specification for safe text");
    return escapeHtml(value instanceof Markup ? value : formatValue(value, rules, this.#budget), this.#budget).text;
  }

  #value(name: string): Value {
    const [, first, rest] = /^([^.[]*)((?:[.[][\s\S]*)?)$/.exec(name)!;
    let value = this.#argument(first!);
    for (const [whole, attribute, item] of rest!.matchAll(/\.([^.[]+)|\[([^\]]+)\]|[\s\S]/g)) {
      if (attribute !== undefined) value = this.#access.attribute(value, attribute, this.#budget);
      else if (item !== undefined)
        value = this.#access.item(value, /^\d+$/.test(item) ? BigInt(item) : item, this.#budget);
      else fail(`a format has an unexpected '${whole}'`);
    }
    return value;
  }

  #argument(name: string): Value {
    if (name !== "" && !/^\d+$/.test(name)) {
      return this.#args.named.get(name) ?? fail(`the format's argument '${name}' is missing`);
    }
    if (name === "" ? this.#automatic === undefined : this.#automatic !== 0 && this.#automatic !== undefined) {
      fail("a format numbers only some of its fields");
    }
    const index = name === "" ? this.#automatic!++ : Number(name);
    if (name !== "") this.#automatic = undefined;
    return this.#args.positional[index] ?? fail(`the format's argument ${index} is missing`);
  }

  #convert(value: Value, conversion: string): Value {
    switch (conversion) {
      case "s":
        return toText(value, this.#budget);
      case "r":
        return repr(value, this.#budget);
      case "a":
        return ascii(repr(value, this.#budget));
      default:
        fail(`a format has an unknown conversion '${conversion}'`);
    }
  }
}

/** The index of the brace that closes a field. Braces inside are fields of the specification. */
function endOfField(template: string, start: number): number {
  let open = 0;
  for (let at = start; at < template.length; at++) {
    if (template[at] === "{") open++;
    else if (template[at] === "}" && --open === 0) return at;
  }
  fail("a '{' in a format string is not closed");
}

interface Rules {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | undefined;
  readonly type: string;
}

/** `format(value, specification)` */
export function formatValue(value: Value, specification: string, budget: Budget): string {
  if (specification === "") return toText(value, budget);
  const text = textOf(value);
  const number = typeof value === "number" ? value : integerOf(value);
  if (text === undefined && number === undefined) {
    fail(`unsupported format specification for '${typeName(value)}'`);
  }
  const rules = readRules(specification, text !== undefined);
  budget.string(Math.max(rules.width, rules.precision ?? 0));
  return text !== undefined ? formatText(text, rules) : formatNumber(number!, rules, budget);
}

function readRules(specification: string, isText: boolean): Rules {
  const found = SPECIFICATION.exec(specification) ?? fail(`invalid format specification '${specification}'`);
  const [, fill, align, sign, , alternate, zero, width, grouping, precision, type] = found;
  return {
    fill: fill ?? (zero && !align ? "0" : " "),
    align: align ?? (zero && !isText ? "=" : ""),
    sign: sign ?? "",
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? "",
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? "",
  };
}

function formatText(text: string, rules: Rules): string {
  if (
    (rules.type !== "" && rules.type !== "s") ||
    rules.sign ||
    rules.alternate ||
    rules.grouping ||
    rules.align === "="
  ) {
    fail("invalid format specification for a str");
  }
  return align(rules.precision === undefined ? text : sliceCharacters(text, 0, rules.precision), "", rules, "<");
}

function formatNumber(value: number | bigint, rules: Rules, budget: Budget): string {
  const { type, precision } = rules;
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? "-" : rules.sign === "-" ? "" : rules.sign;
  let prefix = "";
  let digits: string;
  if (typeof value === "bigint" && /^[bcdoxXn]?$/.test(type)) {
    if (precision !== undefined) fail("a precision is not allowed for an integer");
    if (type === "c") return align(String.fromCodePoint(Number(value)), "", rules, "<");
    const positive = value < 0n ? -value : value;
    digits = /^[boxX]$/.test(type) ? inBase(positive, type) : printInteger(positive, budget);
    if (rules.alternate && /^[boxX]$/.test(type)) prefix = `0${type}`;
  } else {
    if (!/^[eEfFgGn%]?$/.test(type)) fail(`unknown format code '${type}' for a number`);
    digits = formatMagnitude(Math.abs(Number(value)), rules);
  }
  if (rules.grouping) return grouped(digits, sign + prefix, rules);
  return align(digits, sign + prefix, rules, ">");
}

function formatMagnitude(value: number, { type, precision, alternate }: Rules): string {
  if (type === "%") return `${formatFloat(value * 100, "f", precision ?? 6, alternate)}%`;
  if (type === "" && precision === undefined) return printFloat(value);
  return formatFloat(value, type === "n" ? "g" : type, precision ?? 6, alternate);
}

function grouped(digits: string, lead: string, rules: Rules): string {
  const size = /^[boxX]$/.test(rules.type) ? 4 : 3;
  const [, whole, rest] = /^([\da-fA-F]*)((?:[^\da-fA-F][\s\S]*)?)$/.exec(digits)!;
  let text = group(whole!, size, rules.grouping);
  if (rules.fill === "0" && rules.align === "=") {
    const room = rules.width - lead.length - rest!.length;
    let padded = whole!;
    while (text.length < room) text = group((padded = `0${padded}`), size, rules.grouping);
  }
  return align(text + rest, lead, rules, ">");
}

function group(digits: string, size: number, mark: string): string {
  const parts: string[] = [];
  for (let end = digits.length; end > 0; end -= size) parts.unshift(digits.slice(Math.max(0, end - size), end));
  return parts.join(mark);
}

function align(text: string, lead: string, rules: Rules, otherwise: string): string {
  const missing = Math.max(0, rules.width - charactersIn(text) - lead.length);
  const fill = (count: number) => rules.fill.repeat(count);
  switch (rules.align || otherwise) {
    case "<":
      return lead + text + fill(missing);
    case "^":
      return fill(Math.floor(missing / 2)) + lead + text + fill(Math.ceil(missing / 2));
    case "=":
      return lead + fill(missing) + text;
    default:
      return fill(missing) + lead + text;
  }
}
