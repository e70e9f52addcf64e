/**
 * Objects of a schema. The properties that it names come in its order, then all others.
 * @module
 */
import { choice, type Expression, literal, NEVER, sequence } from "../expression.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES } from "../limits.ts";
import type { Case, SchemaContext } from "./context.ts";
import { keyGoal, otherPropertyGoal, propertyGoal } from "./goals.ts";
import { COLON, keyOf, SPACE, STRING } from "./json-text.ts";
import { otherKeys } from "./keys.ts";
import { membersExpression, type Property } from "./members.ts";
import { commonRange, type Range } from "./node.ts";
import { Validator } from "./valid.ts";

export function objectExpression(nodes: Case, context: SchemaContext): Expression {
  const size = objectSize(nodes);
  const required = requiredNames(nodes);
  const names = propertyNames(nodes);
  checkLimit("schema: properties", names.length, MAX_ALTERNATIVES);
  if (size.min > size.max || required.size > size.max) return NEVER;
  const keys = keyGoal(nodes, context);
  const validator = new Validator(context, false);
  const properties: Property[] = [];
  for (const name of names) {
    if (validator.isValid(name, keys)) {
      const value = context.goalRule(propertyGoal(nodes, name, context));
      const member = sequence(literal(JSON.stringify(name)), COLON, value);
      properties.push({ member, required: required.has(name) });
    } else if (required.has(name)) return NEVER;
  }
  // The other keys might all be the same one, so together they count as one towards the least number.
  if (size.min > properties.length + 1) {
    throw grammarError(
      `schema: minProperties at ${nodes[0]!.where}: at most one more than the named properties is supported, got ${size.min}`,
    );
  }
  const others = otherMembers(nodes, names, context);
  const key = `object ${nodes.map(({ id }) => id).join()}`;
  return sequence(
    literal("{"),
    SPACE,
    membersExpression({ properties, others, size }, key, context),
    SPACE,
    literal("}"),
  );
}

/** Members whose key is not named. */
function otherMembers(nodes: Case, names: readonly string[], context: SchemaContext): Expression {
  if (!isOpen(nodes)) return NEVER;
  const hasPatterns = nodes.some((node) => node.patternProperties.length > 0);
  if (names.length === 0 && !hasPatterns && keyGoal(nodes, context).length === 0) {
    return sequence(STRING, COLON, context.goalRule(otherPropertyGoal(nodes, () => false, context)));
  }
  const classes = otherKeys(nodes, names, context).filter(({ matched }) => matched.size > 0 || allowsAnyKey(nodes));
  return choice(
    ...classes.map(({ keys, matched }) => {
      const goal = otherPropertyGoal(nodes, (pattern) => matched.has(pattern), context);
      return sequence(keyOf(keys), COLON, context.goalRule(goal));
    }),
  );
}

/** Whether there may be members whose keys are not named and match no pattern. */
function allowsAnyKey(nodes: Case): boolean {
  const isListed = nodes.some(({ listsProperties }) => listsProperties);
  if (!isListed || objectSize(nodes).min > propertyNames(nodes).length) return true;
  return nodes.some((node) => (node.additionalProperties ?? node.unevaluatedProperties) !== undefined);
}

/** Whether there may be members whose keys are not named. */
export const isOpen = (nodes: Case): boolean =>
  allowsAnyKey(nodes) || nodes.some((node) => node.patternProperties.length > 0);

const objectSize = (nodes: Case): Range => commonRange(nodes.map(({ size }) => size));

export const requiredNames = (nodes: Case): Set<string> => new Set(nodes.flatMap((node) => node.required));

export const propertyNames = (nodes: Case): string[] => [
  ...new Set([...nodes.flatMap((node) => [...node.properties.keys()]), ...requiredNames(nodes)]),
];

/** True if it is certain that no object satisfies a case. */
export function isVoidObject(nodes: Case, context: SchemaContext, depth: number): boolean {
  const { min, max } = objectSize(nodes);
  const required = requiredNames(nodes);
  if (min > max || required.size > max) return true;
  if (depth === 0) return false;
  const keys = keyGoal(nodes, context);
  const validator = new Validator(context, true);
  return [...required].some(
    (name) => !validator.isValid(name, keys) || context.isVoid(propertyGoal(nodes, name, context), depth - 1),
  );
}
