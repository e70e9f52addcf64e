/**
 * Turns values into text, as Python's `str` and `repr` do, and escapes HTML.
 * @module
 */
import type { Budget } from "./budget.ts";
import { printFloat, printInteger } from "./numbers.ts";
import { Dict, Markup, Tuple, textOf, Undefined, type Value } from "./values.ts";

/** `str(value)` */
export function toText(value: Value, budget: Budget): string {
  return value instanceof Undefined ? "" : (textOf(value) ?? repr(value, budget));
}

/** `repr(value)` */
export function repr(value: Value, budget: Budget): string {
  return new Writer(budget).write(value);
}

class Writer {
  readonly #budget: Budget;
  /** The lists and dicts that are being written. A namespace can put one into itself. */
  readonly #open = new Set<Value>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  write(value: Value): string {
    const container = Array.isArray(value) || value instanceof Dict;
    if (container && this.#open.has(value)) return value instanceof Dict ? "{...}" : "[...]";
    this.#budget.enter();
    if (container) this.#open.add(value);
    const text = this.#text(value);
    if (container) this.#open.delete(value);
    this.#budget.string(text.length);
    this.#budget.leave();
    return text;
  }

  #text(value: Value): string {
    switch (typeof value) {
      case "boolean":
        return value ? "True" : "False";
      case "bigint":
        return printInteger(value, this.#budget);
      case "number":
        return printFloat(value);
      case "string":
        return quote(value);
    }
    const part = (item: Value) => this.write(item);
    if (value instanceof Markup) return `Markup(${quote(value.text)})`;
    if (value instanceof Tuple) {
      return value.items.length === 1 ? `(${part(value.items[0]!)},)` : `(${value.items.map(part).join(", ")})`;
    }
    if (value instanceof Dict) {
      return `{${Array.from(value.pairs(), ([key, item]) => `${part(key)}: ${part(item)}`).join(", ")}}`;
    }
    return "print" in value ? value.print(part) : `[${value.map(part).join(", ")}]`;
  }
}

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** A text in quotes. They are single ones, unless the text has single quotes and no double ones. */
export function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (char) => {
    if (char === "'" || char === '"') return char === mark ? `\\${char}` : char;
    return NAMED_ESCAPES.get(char) ?? escapeCodePoint(char.codePointAt(0)!);
  });
  return mark + escaped + mark;
}

/** A code point as an escape of Python. */
export function escapeCodePoint(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  [">", "&gt;"],
  ["<", "&lt;"],
  ["'", "&#39;"],
  ['"', "&#34;"],
]);

/** MarkupSafe's `escape`, which does not change safe text. */
export function escapeHtml(value: Value, budget: Budget): Markup {
  if (value instanceof Markup) return value;
  const text = toText(value, budget);
  budget.string(text.length);
  const escaped = text.replace(/[&<>'"]/g, (char) => ENTITIES.get(char)!);
  budget.string(escaped.length);
  return new Markup(escaped);
}
