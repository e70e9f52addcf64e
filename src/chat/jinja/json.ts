/**
 * `tojson` as transformers defines it: Python's `json.dumps`.
 * @module
 */
import { asCount, asText, bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { compareValues } from "./comparison.ts";
import { fail } from "./errors.ts";
import { printFloat, printInteger } from "./numbers.ts";
import {
  type Arguments,
  Dict,
  integerOf,
  isTrue,
  itemsOf,
  NONE,
  textOf,
  typeName,
  unlessNone,
  type Value,
} from "./values.ts";

/** Writes a value as JSON. @throws JinjaError for values that JSON does not have */
export function toJson(value: Value, args: Arguments, budget: Budget): string {
  const [ascii, indent, separators, sortKeys] = bind("tojson", "ensure_ascii? indent? separators? sort_keys?", args);
  const none = (given: Value | undefined) => unlessNone(given) === undefined;
  const given = none(separators) ? undefined : itemsOf(separators);
  if (!none(separators) && given?.length !== 2) fail("separators are two texts");
  const writer = new JsonWriter(budget, {
    ascii: ascii !== undefined && isTrue(ascii),
    indent: none(indent) ? undefined : (textOf(indent) ?? " ".repeat(indentation(indent, budget))),
    separators: given ? [asText(given[0]!), asText(given[1]!)] : [none(indent) ? ", " : ",", ": "],
    sorts: sortKeys !== undefined && isTrue(sortKeys),
  });
  return writer.write(value, "\n");
}

function indentation(indent: Value | undefined, budget: Budget): number {
  const width = Math.max(0, asCount(indent, 0));
  budget.string(width);
  return width;
}

interface JsonOptions {
  readonly ascii: boolean;
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sorts: boolean;
}

class JsonWriter {
  readonly #budget: Budget;
  readonly #options: JsonOptions;
  /** The characters written so far, line breaks and indents included. */
  #length = 0;

  constructor(budget: Budget, options: JsonOptions) {
    this.#budget = budget;
    this.#options = options;
  }

  /** `line` is a line break with the indent of the value's own line. */
  write(value: Value, line: string): string {
    const items = itemsOf(value);
    if (!items && !(value instanceof Dict)) return this.#counted(this.#scalar(value));
    this.#budget.enter();
    const inner = line + (this.#options.indent ?? "");
    const parts = items
      ? items.map((item) => this.#spaced(this.write(item, inner), inner))
      : this.#members(value as Dict, inner);
    this.#budget.leave();
    const [open, close] = items ? "[]" : "{}";
    if (parts.length === 0) return open! + close!;
    const [before, after] = this.#options.indent === undefined ? ["", ""] : [inner, line];
    return open + before + parts.join(this.#options.separators[0] + before) + after + close;
  }

  #members(dict: Dict, line: string): string[] {
    const pairs = [...dict.pairs()];
    if (this.#options.sorts) pairs.sort(([a], [b]) => compareValues(a, b, this.#budget));
    return pairs.map(([key, value]) =>
      this.#spaced(this.#key(key) + this.#options.separators[1] + this.write(value, line), line),
    );
  }

  #key(key: Value): string {
    const scalar = textOf(key) !== undefined || key === NONE || typeof key !== "object";
    if (!scalar) fail(`the keys of JSON are texts, got '${typeName(key)}'`);
    return this.#counted(textOf(key) === undefined ? `"${this.#scalar(key)}"` : this.#scalar(key));
  }

  #scalar(value: Value): string {
    const text = textOf(value);
    if (text !== undefined) return this.#quote(text);
    if (value === NONE) return "null";
    if (typeof value === "boolean") return String(value);
    const integer = integerOf(value);
    if (integer !== undefined) return printInteger(integer, this.#budget);
    if (typeof value !== "number") fail(`a value of the type '${typeName(value)}' cannot be written as JSON`);
    return Number.isFinite(value)
      ? printFloat(value)
      : Number.isNaN(value)
        ? "NaN"
        : value > 0
          ? "Infinity"
          : "-Infinity";
  }

  #quote(text: string): string {
    this.#budget.string(text.length);
    const written = JSON.stringify(text);
    if (!this.#options.ascii) return written;
    return written.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }

  #spaced(text: string, line: string): string {
    this.#counted(this.#options.indent === undefined ? "" : line);
    this.#counted(this.#options.separators[0]);
    return text;
  }

  #counted(text: string): string {
    this.#budget.grow((this.#length += text.length), text.length);
    return text;
  }
}
