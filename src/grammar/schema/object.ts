/**
 * Objects of a schema. The properties that it names come in its order, then all others.
 * @module
 */
import { choice, type Expression, literal, NEVER, repeat, sequence } from "../expression.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES } from "../limits.ts";
import type { Case, SchemaContext } from "./context.ts";
import { MANY_TEXTS, textsOf } from "./finite.ts";
import { keyGoal, otherPropertyGoal, propertyGoal } from "./goals.ts";
import { COLON, keyOf, SEPARATOR, SPACE, STRING } from "./json-text.ts";
import { type KeyClass, otherKeys } from "./keys.ts";
import { type Members, membersExpression, type Property } from "./members.ts";
import { commonRange, type Range } from "./node.ts";
import { Validator } from "./valid.ts";

export function objectExpression(nodes: Case, context: SchemaContext): Expression {
  const size = objectSize(nodes);
  const required = requiredNames(nodes);
  const listed = propertyNames(nodes);
  const few = size.min > listed.length + 1 ? fewKeys(nodes, listed, context) : undefined;
  const names = [...listed, ...(few ?? [])];
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
  const others = few ? NEVER : otherMembers(nodes, names, context);
  const key = `object ${nodes.map(({ id }) => id).join()}`;
  const differing: Members["differing"] = (range, follows) =>
    differingMembers(nodes, { names, range, follows }, context);
  return sequence(
    literal("{"),
    SPACE,
    membersExpression({ properties, others, differing, size }, key, context),
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
  const classes = unnamedClasses(nodes, names, context);
  return choice(
    ...classes.map(({ keys, matched }) => {
      const goal = otherPropertyGoal(nodes, (pattern) => matched.has(pattern), context);
      return sequence(keyOf(keys), COLON, context.goalRule(goal));
    }),
  );
}

/** The keys that are not named, if they are few. */
function fewKeys(nodes: Case, names: readonly string[], context: SchemaContext): readonly string[] | undefined {
  const texts = unnamedClasses(nodes, names, context).map(({ keys }) => textsOf(keys));
  return texts.every((each) => each !== undefined) ? texts.flat() : undefined;
}

/** Classes of the keys that are not named and that members may have. */
const unnamedClasses = (nodes: Case, names: readonly string[], context: SchemaContext): KeyClass[] =>
  otherKeys(nodes, names, context).filter(({ matched }) => matched.size > 0 || allowsAnyKey(nodes));

interface Differing {
  /** The named properties. */
  readonly names: readonly string[];
  readonly range: Range;
  readonly follows: boolean;
}

/**
 * Members whose keys are not named and differ, so that each counts. The matcher compares the keys.
 * @throws NibbleError `invalid_argument` if there must be so many that the keys might not suffice
 */
function differingMembers(nodes: Case, { names, range, follows }: Differing, context: SchemaContext): Expression {
  const { min, max } = range;
  const classes = unnamedClasses(nodes, names, context);
  const key = `keys ${nodes.map(({ id }) => id).join()} ${min} ${follows}`;
  const where = nodes[0]!.where;
  if (min >= MANY_TEXTS)
    throw grammarError(
      `schema: minProperties at ${where}: ${MANY_TEXTS} or more keys that are not named are not supported`,
    );
  const keyRules = classes.map(({ keys }, i) => context.named(`${key} ${i}`, `a key of ${where}`, () => keyOf(keys)));
  const member = choice(
    ...classes.map(({ matched }, i) => {
      const goal = otherPropertyGoal(nodes, (pattern) => matched.has(pattern), context);
      return sequence(keyRules[i]!, COLON, context.goalRule(goal));
    }),
  );
  const next = sequence(SEPARATOR, member);
  const list = context.named(key, `members of ${where}`, () =>
    follows ? repeat(next, min, max) : sequence(member, repeat(next, min - 1, max - 1)),
  );
  for (const each of keyRules) context.differ(list, each);
  return list;
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
