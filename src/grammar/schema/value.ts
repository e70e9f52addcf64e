/**
 * The JSON texts of the cases of a schema, type by type.
 * @module
 */
import { choice, type Expression, literal, oneOf, sequence } from "../expression.ts";
import { grammarError } from "../limits.ts";
import { arrayExpression, isVoidArray } from "./array.ts";
import { caseTypes } from "./case-types.ts";
import type { Case, SchemaContext } from "./context.ts";
import { COLON, INTEGER, NUMBER, SEPARATOR, SPACE } from "./json-text.ts";
import type { JsonType } from "./node.ts";
import { isUnlimited, isVoidRange, type NumberFacts, numberExpression } from "./numbers.ts";
import { isVoidObject, objectExpression } from "./object.ts";
import { isVoidString, stringExpression } from "./strings.ts";
import { Validator } from "./valid.ts";
import { listedValues, numberFacts } from "./value-lists.ts";

/** The values of a case. */
export function caseExpression(nodes: Case, context: SchemaContext): Expression {
  const values = listedValues(nodes, new Validator(context, false));
  if (values) return listedExpression(values);
  return choice(...caseTypes(nodes).map((type) => typeExpression(type, nodes, context)));
}

/** One of the values. White space may stand in arrays and objects as in all others. */
function listedExpression(values: readonly unknown[]): Expression {
  const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;
  const plain = oneOf(values.filter(isPlain).map((value) => JSON.stringify(value)));
  return choice(plain, ...values.filter((value) => !isPlain(value)).map(constantExpression));
}

function constantExpression(value: unknown): Expression {
  if (typeof value !== "object" || value === null) return literal(JSON.stringify(value));
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map(constantExpression)
    : Object.entries(value).map(([key, each]) =>
        sequence(literal(JSON.stringify(key)), COLON, constantExpression(each)),
      );
  const list = parts.flatMap((part, i) => (i > 0 ? [SEPARATOR, part] : [part]));
  return sequence(literal(open!), SPACE, ...list, ...(list.length > 0 ? [SPACE] : []), literal(close!));
}

function typeExpression(type: JsonType, nodes: Case, context: SchemaContext): Expression {
  switch (type) {
    case "null":
    case "boolean":
      return choice(...constants(type, nodes).map(literal));
    case "number":
      return anyNumber(numberFacts(nodes), context);
    case "string":
      return stringExpression(nodes, context);
    case "array":
      checkExcluded(type, nodes);
      return arrayExpression(nodes, context);
    case "object":
      checkExcluded(type, nodes);
      return objectExpression(nodes, context);
  }
}

/** The texts of a type that has few values. */
const constants = (type: "null" | "boolean", nodes: Case): string[] =>
  (type === "null" ? ["null"] : ["true", "false"]).filter((text) => !nodes.some(({ excluded }) => excluded.has(text)));

/** @throws NibbleError `invalid_argument` for arrays and objects that are excluded, which a grammar cannot follow */
function checkExcluded(type: "array" | "object", nodes: Case): void {
  for (const { excluded, where } of nodes) {
    const value = [...excluded.values()].find((each) => typeof each === "object" && each !== null);
    if (value === undefined || Array.isArray(value) !== (type === "array")) continue;
    throw grammarError(`schema: not at ${where}: ${type}s in const or enum inside it are not supported`);
  }
}

function anyNumber(facts: NumberFacts, context: SchemaContext): Expression {
  if (!isUnlimited(facts)) return numberExpression(facts);
  return facts.integer
    ? context.named("integer", "an integer", () => INTEGER)
    : context.named("number", "a number", () => NUMBER);
}

/** True if it is certain that no value satisfies a case. Looks `depth` properties or items deep. */
export function isVoidCase(nodes: Case, context: SchemaContext, depth: number): boolean {
  const values = listedValues(nodes, new Validator(context, true));
  if (values) return values.length === 0;
  return caseTypes(nodes).every((type) => isVoidType(type, nodes, context, depth));
}

function isVoidType(type: JsonType, nodes: Case, context: SchemaContext, depth: number): boolean {
  switch (type) {
    case "null":
    case "boolean":
      return constants(type, nodes).length === 0;
    case "number":
      return isVoidRange(numberFacts(nodes));
    case "string":
      return isVoidString(nodes, context);
    case "array":
      return isVoidArray(nodes, context, depth);
    case "object":
      return isVoidObject(nodes, context, depth);
  }
}
