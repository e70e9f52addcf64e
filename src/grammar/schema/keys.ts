/**
 * Keys of an object that are not named: their classes by `patternProperties`, and the keys that are allowed.
 * @module
 */
import { checkLimit, MAX_REPEAT } from "../limits.ts";
import { type Dfa, isEmpty } from "../regular/dfa.ts";
import { ANY_TEXT, intersectDfas, lengthDfa, subtractDfa, textsDfa } from "../regular/operations.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { keyGoal } from "./goals.ts";
import { commonRange } from "./node.ts";

/** Most classes of keys that `patternProperties` distinguish. */
const MAX_KEY_CLASSES = 32;

/** Keys for which the same `patternProperties` hold. */
export interface KeyClass {
  readonly keys: Dfa;
  /** The patterns that the keys match. */
  readonly matched: ReadonlySet<Dfa>;
}

/** All keys but the named ones, divided by the patterns that they match. */
export function otherKeys(nodes: Case, names: readonly string[], context: SchemaContext): KeyClass[] {
  const goal = keyGoal(nodes, context);
  const languages = goal.length === 0 ? [ANY_TEXT] : keyLanguages(goal, context);
  const unnamed = languages.map((language) => (names.length > 0 ? subtractDfa(language, textsDfa(names)) : language));
  let classes: KeyClass[] = unnamed.map((keys) => ({ keys, matched: new Set<Dfa>() }));
  for (const [pattern] of nodes.flatMap((node) => node.patternProperties)) {
    classes = classes.flatMap(({ keys, matched }) => [
      { keys: intersectDfas(keys, pattern), matched: new Set([...matched, pattern]) },
      { keys: subtractDfa(keys, pattern), matched },
    ]);
    classes = classes.filter(({ keys }) => !isEmpty(keys));
    checkLimit("schema: patternProperties that overlap", classes.length, MAX_KEY_CLASSES);
  }
  return classes;
}

/** The keys that satisfy `propertyNames`. */
function keyLanguages(goal: Goal, context: SchemaContext): Dfa[] {
  return context.cases(goal).flatMap((nodes) => {
    if (!nodes.every(({ types }) => types.has("string"))) return [];
    const { min, max } = commonRange(nodes.map(({ length }) => length));
    if (min > max) return [];
    const listed = nodes.flatMap(({ values }) => (values ? [values] : []));
    const texts = listed.map((values) => textsDfa([...values.values()].filter((value) => typeof value === "string")));
    const parts = [...texts, ...nodes.flatMap(({ patterns }) => patterns)];
    const length = lengthDfa(min, max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT));
    return [parts.reduce(intersectDfas, length)].filter((language) => !isEmpty(language));
  });
}
