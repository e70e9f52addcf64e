/**
 * Filters for values of every type.
 * @module
 */
import { attributeOf } from "./access.ts";
import { asText } from "./arguments.ts";
import { fail } from "./errors.ts";
import type { Filter, FilterContext, FilterTable, Given } from "./filter-context.ts";
import { toJson } from "./json.ts";
import { prettyPrint } from "./pretty-print.ts";
import { toText } from "./printing.ts";
import { isTrue, lengthOf, Markup, textOf, typeName, Undefined, type Value } from "./values.ts";

export const VALUE_FILTERS: FilterTable = new Map<string, Filter>([
  ["attr", ["name", attribute]],
  ["count", ["", length]],
  ["d", ["default_value? boolean?", otherwise]],
  ["default", ["default_value? boolean?", otherwise]],
  ["length", ["", length]],
  ["pprint", ["", ({ budget }, value) => prettyPrint(value, budget)]],
  ["safe", ["", ({ budget }, value) => new Markup(toText(value, budget))]],
  ["string", ["", ({ budget }, value) => (textOf(value) === undefined ? toText(value, budget) : value)]],
  ["tojson", ["*", ({ budget }, value, _given, args) => toJson(value, args, budget)]],
]);

function attribute({ budget }: FilterContext, value: Value, [name]: Given): Value {
  if (value instanceof Undefined) value.fail();
  const wanted = asText(name!);
  return (
    attributeOf(value, wanted, budget) ?? new Undefined(`'${typeName(value)}' object has no attribute '${wanted}'`)
  );
}

function length(_context: FilterContext, value: Value): Value {
  return BigInt(lengthOf(value) ?? fail(`object of type '${typeName(value)}' has no length`));
}

function otherwise(_context: FilterContext, value: Value, [instead, boolean]: Given): Value {
  const missing = value instanceof Undefined || (boolean !== undefined && isTrue(boolean) && !isTrue(value));
  return missing ? (instead ?? "") : value;
}
