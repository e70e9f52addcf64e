/**
 * Goals with few values.
 * @module
 */
import { pairs } from "../regular/char-set.ts";
import { type Dfa, isEmpty } from "../regular/dfa.ts";
import { caseTypes } from "./case-types.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { jsonText } from "./node.ts";
import { integerRange } from "./numbers.ts";
import { Validator } from "./valid.ts";
import { listedValues, numberFacts } from "./value-lists.ts";

/** More integers between two bounds, or more texts of a pattern, are not listed. */
export const MANY_TEXTS = 64;

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
    else if (type === "string") {
      const language = context.languages.strings(nodes);
      const texts = language && textsOf(language);
      if (!texts) return undefined;
      candidates.push(...texts);
    } else {
      const range = type === "number" ? integerRange(numberFacts(nodes)) : undefined;
      if (!range || range.max - range.min >= MANY_TEXTS) return undefined;
      for (let value = range.min; value <= range.max; value++) candidates.push(value);
    }
  }
  return candidates.filter((value) => validator.isValidCase(value, nodes));
}

/** The texts of a language; undefined if they are too many to list (`MANY_TEXTS` or more). */
export function textsOf(language: Dfa): readonly string[] | undefined {
  if (isEmpty(language)) return [];
  const { accepts, edges } = language;
  const texts: string[] = [];
  let open: { readonly state: number; readonly text: string }[] = [{ state: 0, text: "" }];
  // Every state leads to a text, so more open texts than the limit mean more texts; texts of one length are read at once.
  while (open.length > 0) {
    const longer: typeof open = [];
    for (const { state, text } of open) {
      if (accepts[state]) texts.push(text);
      for (const { set, target } of edges[state]!) {
        for (const [from, to] of pairs(set)) {
          if (to - from >= MANY_TEXTS) return undefined;
          for (let char = from; char <= to; char++)
            longer.push({ state: target, text: text + String.fromCodePoint(char) });
        }
      }
    }
    if (texts.length + longer.length > MANY_TEXTS) return undefined;
    open = longer;
  }
  return texts;
}
