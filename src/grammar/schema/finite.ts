/**
 * Goals with few values.
 * @module
 */
import { caseTypes } from "./case-types.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { jsonText } from "./node.ts";
import { integerRange } from "./numbers.ts";
import { Validator } from "./valid.ts";
import { listedValues, numberFacts } from "./value-lists.ts";

/** More integers than this between two bounds are not listed. */
const MAX_INTEGERS = 64;

/** The values that satisfy a goal, by their `jsonText`; undefined if they are too many to list. */
export function finiteValues(goal: Goal, context: SchemaContext): ReadonlyMap<string, unknown> | undefined {
  const found = new Map<string, unknown>();
  for (const nodes of context.cases(goal)) {
    const values = listedValues(nodes, new Validator(context, false)) ?? valuesOfTypes(nodes, context);
    if (!values) return undefined;
    for (const value of values) found.set(jsonText(value), value);
  }
  return found;
}

function valuesOfTypes(nodes: Case, context: SchemaContext): readonly unknown[] | undefined {
  const validator = new Validator(context, false);
  const candidates: unknown[] = [];
  for (const type of caseTypes(nodes)) {
    if (type === "null") candidates.push(null);
    else if (type === "boolean") candidates.push(true, false);
    else {
      const range = type === "number" ? integerRange(numberFacts(nodes)) : undefined;
      if (!range || range.max - range.min >= MAX_INTEGERS) return undefined;
      for (let value = range.min; value <= range.max; value++) candidates.push(value);
    }
  }
  return candidates.filter((value) => validator.isValidCase(value, nodes));
}
