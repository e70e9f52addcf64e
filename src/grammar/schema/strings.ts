/**
 * Strings of a schema.
 * @module
 */
import { choice, type Expression, literal, NEVER, repeat, sequence } from "../expression.ts";
import { checkLimit, MAX_REPEAT } from "../limits.ts";
import { isEmpty, matches } from "../regular/dfa.ts";
import type { Case, SchemaContext } from "./context.ts";
import { ESCAPE, STRING, stringOf, UNESCAPED_CHAR } from "./json-text.ts";
import { stringLength } from "./languages.ts";
import type { Range } from "./node.ts";

export function stringExpression(nodes: Case, context: SchemaContext): Expression {
  const language = context.languages.strings(nodes);
  if (!language) return countedString(stringLength(nodes), context);
  if (isEmpty(language)) return NEVER;
  return context.named(`strings ${context.languages.key(nodes)}`, "a string", () => stringOf(language));
}

/** Any string with `min` to `max` characters. */
function countedString({ min, max }: Range, context: SchemaContext): Expression {
  if (min === 0 && max === Number.POSITIVE_INFINITY) return context.named("string", "a string", () => STRING);
  checkLimit("schema: minLength", min, MAX_REPEAT);
  if (min > max) return NEVER;
  const char = choice(
    UNESCAPED_CHAR,
    context.named("escape", "an escape", () => ESCAPE),
  );
  const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT);
  const text = () => sequence(literal('"'), repeat(char, min, most), literal('"'));
  return context.named(`string ${min} ${most}`, `a string of ${min} to ${most} characters`, text);
}

/** True if no string satisfies a case. */
export function isVoidString(nodes: Case, context: SchemaContext): boolean {
  const { min, max } = stringLength(nodes);
  const language = context.languages.strings(nodes);
  return min > max || (language !== undefined && isEmpty(language));
}

/** Whether a string satisfies the keywords of a case that are about strings. */
export function isValidString(text: string, nodes: Case): boolean {
  const { min, max } = stringLength(nodes);
  const length = [...text].length;
  return length >= min && length <= max && nodes.every(({ patterns }) => patterns.every((dfa) => matches(dfa, text)));
}
