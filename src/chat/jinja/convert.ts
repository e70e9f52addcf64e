/**
 * Converts values of JavaScript to those of templates, as if Python had read them as JSON.
 * @module
 */
import { MAX_DEPTH } from "./budget.ts";
import { fail } from "./errors.ts";
import { Dict, NONE, type Value } from "./values.ts";

/**
 * A number is an integer if JSON writes it as one. 1 and 1.0 are the same number in JavaScript, so both print as `1`.
 * A bigint is an integer of any size. Members that are undefined are dropped.
 */
export function fromJavaScript(value: unknown, depth = 0): Value {
  if (depth > MAX_DEPTH) fail(`a value nests deeper than ${MAX_DEPTH} levels`);
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      return /^-?\d+$/.test(String(value)) ? BigInt(String(value)) : value;
    case "object":
      if (value === null) return NONE;
      if (Array.isArray(value)) return value.map((item) => fromJavaScript(item, depth + 1));
      return Dict.of(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, fromJavaScript(item, depth + 1)] as const),
      );
    case "undefined":
      return NONE;
    default:
      return `<${typeof value}>`;
  }
}
