/**
 * What filters work with.
 * @module
 */

import { getItem } from "./access.ts";
import type { Budget } from "./budget.ts";
import { type Arguments, integerOf, NONE, textOf, Undefined, type Value } from "./values.ts";

export interface FilterContext {
  readonly budget: Budget;
  /** HTML is escaped: inside of `{% autoescape true %}`. */
  readonly autoescape: boolean;
  /** @throws JinjaError if there is no such filter or test */
  filter(name: Value, value: Value, args: Arguments): Value;
  test(name: Value, value: Value, args: Arguments): boolean;
}

/** Arguments in the order of a signature; undefined for one that is not given. */
export type Given = readonly (Value | undefined)[];

/** A signature (of the parameters behind the value; "*" for any arguments) and what the filter does. */
export type Filter = readonly [
  signature: string,
  apply: (context: FilterContext, value: Value, given: Given, args: Arguments) => Value,
];
export type FilterTable = ReadonlyMap<string, Filter>;

/**
 * What reaches for `a.b.0` in a value, as `map(attribute=...)` does; nothing and none give the value itself.
 * What is not there becomes the default.
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

/** Texts in lower case: sorting and grouping do not tell capitals by default. */
export function ignoreCase(value: Value): Value {
  return textOf(value)?.toLowerCase() ?? value;
}
