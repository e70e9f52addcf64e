/**
 * Strings of a schema.
 * @module
 */
import { choice, type Expression, literal, NEVER, repeat, sequence } from "../expression.ts";
import { checkLimit, MAX_REPEAT } from "../limits.ts";
import { type Dfa, isEmpty, matches } from "../regular/dfa.ts";
import { ANY_TEXT, intersectDfas, lengthDfa, subtractDfa, textsDfa } from "../regular/operations.ts";
import type { Case, SchemaContext } from "./context.ts";
import { ESCAPE, STRING, stringOf, UNESCAPED_CHAR } from "./json-text.ts";
import { commonRange, type Range } from "./node.ts";

/** The product of a pattern's states and the lengths that are told apart. Longer texts are left out. */
const COUNTED_STATES = 1500;

const NO_TEXT: Dfa = { accepts: [], edges: [] };

export function stringExpression(nodes: Case, context: SchemaContext): Expression {
  const language = stringLanguage(nodes);
  if (!language) return countedString(stringLength(nodes), context);
  return isEmpty(language) ? NEVER : stringOf(language);
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

/** The strings that patterns and excluded values allow; undefined if there are neither. */
function stringLanguage(nodes: Case): Dfa | undefined {
  const patterns = nodes.flatMap((node) => node.patterns);
  const excluded = nodes.flatMap((node) => [...node.excluded.values()].filter((value) => typeof value === "string"));
  if (patterns.length + excluded.length === 0) return undefined;
  let language = patterns.length > 0 ? patterns.reduce(intersectDfas) : ANY_TEXT;
  if (excluded.length > 0) language = subtractDfa(language, textsDfa(excluded));
  const { min, max } = stringLength(nodes);
  if (min === 0 && max === Number.POSITIVE_INFINITY) return language;
  if (min > max) return NO_TEXT;
  const room = Math.floor(COUNTED_STATES / (language.accepts.length + 1));
  const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, Math.max(room, min + 16));
  return intersectDfas(language, lengthDfa(min, most));
}

const stringLength = (nodes: Case): Range => commonRange(nodes.map(({ length }) => length));

/** True if no string satisfies a case. */
export function isVoidString(nodes: Case): boolean {
  const { min, max } = stringLength(nodes);
  const language = stringLanguage(nodes);
  return min > max || (language !== undefined && isEmpty(language));
}

/** Whether a string satisfies what a case says of strings. */
export function isValidString(text: string, nodes: Case): boolean {
  const { min, max } = stringLength(nodes);
  const length = [...text].length;
  return length >= min && length <= max && nodes.every(({ patterns }) => patterns.every((dfa) => matches(dfa, text)));
}
