/**
 * Whether a value keeps to a schema: for the values of `enum` and `const`, which must keep to their siblings, too.
 * @module
 */
import { grammarError, MAX_DEPTH, spend } from "../limits.ts";
import { isValidString } from "./case.ts";
import type { SchemaCompiler } from "./compiler.ts";
import { type JsonType, jsonText, type RawSchema, type SchemaNode } from "./node.ts";
import { propertyGoal } from "./object.ts";

/** @param chosen the alternatives of `anyOf` and `oneOf`, `$ref` and `allOf` are schemas of their own here */
export function isValid(
  value: unknown,
  node: SchemaNode,
  compiler: SchemaCompiler,
  chosen = false,
  depth = 0,
): boolean {
  if (depth > 2 * MAX_DEPTH) throw grammarError(`schema: expected values of enum that end, at ${node.where}`);
  const inside = (item: unknown, raw: RawSchema | undefined) =>
    raw === undefined || isValid(item, compiler.node(raw, node.where), compiler, false, depth + 1);
  spend(1);
  if (!node.types.has(typeOf(value))) return false;
  if (node.values && !node.values.has(jsonText(value))) return false;
  if (!chosen) {
    const cases = compiler.cases([node]);
    return cases.some((nodes) => nodes.every((part) => isValid(value, part, compiler, true, depth + 1)));
  }
  if (typeof value === "number") return isValidNumber(value, node);
  if (typeof value === "string") return isValidString(value, [node]);
  if (Array.isArray(value)) {
    if (value.length < node.count.min || value.length > node.count.max) return false;
    return value.every((item, at) => inside(item, at < node.prefix.length ? node.prefix[at] : node.items));
  }
  if (typeof value !== "object" || value === null) return true;
  const fields = new Map(Object.entries(value));
  if (fields.size < node.size.min || fields.size > node.size.max) return false;
  if (!node.required.every((name) => fields.has(name))) return false;
  return [...fields].every(
    ([name, item]) =>
      inside(name, node.propertyNames) &&
      propertyGoal([node], name, compiler).every((part) => isValid(item, part, compiler, false, depth + 1)),
  );
}

function isValidNumber(value: number, { integer, lower, upper, multipleOf }: SchemaNode): boolean {
  if (integer && !Number.isInteger(value)) return false;
  if (lower.some((bound) => value < bound.value || (bound.exclusive && value === bound.value))) return false;
  if (upper.some((bound) => value > bound.value || (bound.exclusive && value === bound.value))) return false;
  return multipleOf === undefined || Number.isInteger(value / multipleOf);
}

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as JsonType;
}
