/**
 * Types and helpers of all filters.
 * @module
 */
import { getItem } from "./access.ts";
import type { Budget } from "./budget.ts";
import { type Arguments, integerOf, NONE, textOf, Undefined, type Value } from "./values.ts";

/** The state of the rendering that filters use. */
export interface FilterContext {
  readonly budget: Budget;
  /** Whether HTML is escaped, which `{% autoescape true %}` turns on. */
  readonly autoescape: boolean;
  /** @throws JinjaError if there is no such filter or test */
  filter(name: Value, value: Value, args: Arguments): Value;
  test(name: Value, value: Value, args: Arguments): boolean;
}

/** Arguments in the order of a signature. Those that are not given are undefined. */
export type Given = readonly (Value | undefined)[];

/** The signature of a filter's arguments (see `bind`; "*" stands for any arguments) and its function. */
export type Filter = readonly [
  signature: string,
  apply: (context: FilterContext, value: Value, given: Given, args: Arguments) => Value,
];
export type FilterTable = ReadonlyMap<string, Filter>;

/**
 * A function that looks up a path such as `a.b.0` in a value, as `map(attribute=...)` does. Without a path it returns the
 * value itself. A part that is undefined becomes the default, if there is one.
 */
export function attributeGetter(path: Value | undefined, budget: Budget, otherwise?: Value): (value: Value) => Value {
  const parts = pathParts(path);
  return (value) => {
    let found = value;
    for (const part of parts) {
      budget.spend(1);
      found = getItem(found, part, budget);
      if (otherwise !== undefined && otherwise !== NONE && found instanceof Undefined) found = otherwise;
    }
    return found;
  };
}

function pathParts(path: Value | undefined): Value[] {
  if (path === undefined || path === NONE) return [];
  const text = textOf(path);
  if (text === undefined) return [integerOf(path) ?? path];
  return text.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
}

/** Turns texts into lower case, since sorting and grouping ignore case by default. */
export function ignoreCase(value: Value): Value {
  return textOf(value)?.toLowerCase() ?? value;
}
