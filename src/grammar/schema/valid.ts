/**
 * Whether a value satisfies a schema: the values of `enum` and `const` must satisfy the other keywords, too.
 * @module
 */
import { grammarError, MAX_DEPTH, spend } from "../limits.ts";
import type { SchemaContext } from "./context.ts";
import { propertyGoal } from "./goals.ts";
import { type JsonType, jsonText, type RawSchema, type SchemaNode } from "./node.ts";
import { isValidString } from "./strings.ts";

/** Whether a value satisfies a schema with everything that it refers to. */
export function isValid(value: unknown, node: SchemaNode, context: SchemaContext, depth = 0): boolean {
  if (depth > 2 * MAX_DEPTH) throw grammarError(`schema: the values of enum at ${node.where} are too deep to check`);
  if (!isListed(value, node)) return false;
  return context.cases([node]).some((nodes) => nodes.every((each) => isValidFor(value, each, context, depth + 1)));
}

/**
 * Whether a value satisfies the keywords of one schema. `$ref`, `allOf`, `anyOf` and `oneOf` are left out: in a case,
 * they are schemas of their own.
 */
export function isValidFor(value: unknown, node: SchemaNode, context: SchemaContext, depth = 0): boolean {
  if (!isListed(value, node)) return false;
  if (typeof value === "number") return isValidNumber(value, node);
  if (typeof value === "string") return isValidString(value, [node]);
  if (Array.isArray(value)) return isValidArray(value, node, context, depth);
  return typeof value !== "object" || value === null || isValidObject(value, node, context, depth);
}

function isListed(value: unknown, { types, values }: SchemaNode): boolean {
  spend(1);
  return types.has(typeOf(value)) && (values?.has(jsonText(value)) ?? true);
}

function isValidNumber(value: number, { integer, lower, upper, multipleOf }: SchemaNode): boolean {
  if (integer && !Number.isInteger(value)) return false;
  if (lower.some((bound) => value < bound.value || (bound.exclusive && value === bound.value))) return false;
  if (upper.some((bound) => value > bound.value || (bound.exclusive && value === bound.value))) return false;
  return multipleOf === undefined || Number.isInteger(value / multipleOf);
}

function isValidArray(value: readonly unknown[], node: SchemaNode, context: SchemaContext, depth: number): boolean {
  const { count, prefixItems, items, where } = node;
  if (value.length < count.min || value.length > count.max) return false;
  const isValidItem = (item: unknown, raw: RawSchema | undefined) =>
    raw === undefined || isValid(item, context.node(raw, where), context, depth);
  return value.every((item, at) => isValidItem(item, at < prefixItems.length ? prefixItems[at] : items));
}

function isValidObject(value: object, node: SchemaNode, context: SchemaContext, depth: number): boolean {
  const { size, required, propertyNames, where } = node;
  const fields = new Map(Object.entries(value));
  if (fields.size < size.min || fields.size > size.max) return false;
  if (!required.every((name) => fields.has(name))) return false;
  const isValidKey = (name: string) =>
    propertyNames === undefined || isValid(name, context.node(propertyNames, where), context, depth);
  return [...fields].every(
    ([name, item]) =>
      isValidKey(name) && propertyGoal([node], name, context).every((each) => isValid(item, each, context, depth)),
  );
}

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as JsonType;
}
