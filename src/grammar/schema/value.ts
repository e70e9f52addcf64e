/**
 * The JSON texts of the cases of a schema, type by type.
 * @module
 */
import { choice, type Expression, literal, oneOf } from "../expression.ts";
import { spend } from "../limits.ts";
import { arrayExpression, isVoidArray } from "./array.ts";
import type { Case, SchemaContext } from "./context.ts";
import { INTEGER, NUMBER } from "./json-text.ts";
import { JSON_TYPES, type JsonType } from "./node.ts";
import { isVoidRange, type NumberFacts, numberExpression } from "./numbers.ts";
import { isVoidObject, objectExpression } from "./object.ts";
import { isVoidString, stringExpression } from "./strings.ts";
import { isValidFor } from "./valid.ts";

/** The values of a case. */
export function caseExpression(nodes: Case, context: SchemaContext): Expression {
  const values = listedValues(nodes, context);
  if (values) return oneOf(values.map((value) => JSON.stringify(value)));
  return choice(...caseTypes(nodes).map((type) => typeExpression(type, nodes, context)));
}

function typeExpression(type: JsonType, nodes: Case, context: SchemaContext): Expression {
  switch (type) {
    case "null":
      return literal("null");
    case "boolean":
      return choice(literal("true"), literal("false"));
    case "number":
      return anyNumber(numberFacts(nodes), context);
    case "string":
      return stringExpression(nodes, context);
    case "array":
      return arrayExpression(nodes, context);
    case "object":
      return objectExpression(nodes, context);
  }
}

/** The types that all schemas of a case allow. */
export const caseTypes = (nodes: Case): JsonType[] =>
  JSON_TYPES.filter((type) => nodes.every(({ types }) => types.has(type)));

/** If `enum` or `const` lists the values: those that satisfy everything else, too. */
function listedValues(nodes: Case, context: SchemaContext): readonly unknown[] | undefined {
  const lists = nodes.flatMap(({ values }) => values ?? []);
  if (lists.length === 0) return undefined;
  const shortest = lists.reduce((best, list) => (list.size < best.size ? list : best));
  spend(shortest.size * nodes.length);
  const common = [...shortest].filter(([text]) => lists.every((list) => list.has(text)));
  return common.map(([, value]) => value).filter((value) => nodes.every((node) => isValidFor(value, node, context)));
}

const numberFacts = (nodes: Case): NumberFacts => ({
  integer: nodes.some(({ integer }) => integer),
  lower: nodes.flatMap(({ lower }) => lower),
  upper: nodes.flatMap(({ upper }) => upper),
  multiples: nodes.flatMap(({ multipleOf }) => multipleOf ?? []),
});

function anyNumber(facts: NumberFacts, context: SchemaContext): Expression {
  if (facts.lower.length + facts.upper.length + facts.multiples.length > 0) return numberExpression(facts);
  return facts.integer
    ? context.named("integer", "an integer", () => INTEGER)
    : context.named("number", "a number", () => NUMBER);
}

/** True if it is certain that no value satisfies a case. Looks `depth` properties or items deep. */
export function isVoidCase(nodes: Case, context: SchemaContext, depth: number): boolean {
  const values = listedValues(nodes, context);
  if (values) return values.length === 0;
  return caseTypes(nodes).every((type) => {
    switch (type) {
      case "number":
        return isVoidRange(numberFacts(nodes));
      case "string":
        return isVoidString(nodes);
      case "array":
        return isVoidArray(nodes, context, depth);
      case "object":
        return isVoidObject(nodes, context, depth);
      default:
        return false;
    }
  });
}
