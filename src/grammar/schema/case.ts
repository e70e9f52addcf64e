/**
 * The JSON texts of one case of a schema: what its schemas say together, type by type.
 * @module
 */
import { type Dfa, intersectDfas, isEmpty, lengthDfa, matches } from "../dfa.ts";
import { choice, type Expression, literal, NEVER, repeat, sequence } from "../expression.ts";
import { ESCAPE, INTEGER, NUMBER, oneOf, PLAIN_CHAR, STRING, stringOf } from "../json.ts";
import { checkLimit, MAX_REPEAT, spend } from "../limits.ts";
import { arrayExpression, isVoidArray } from "./array.ts";
import type { Case, SchemaCompiler } from "./compiler.ts";
import { JSON_TYPES, type JsonType, type Range } from "./node.ts";
import { isVoidRange, type NumberFacts, numberExpression } from "./numbers.ts";
import { isVoidObject, objectExpression } from "./object.ts";
import { isValid } from "./valid.ts";

/** States of a pattern, times the lengths that are told apart: longer texts than fit are left out. */
const COUNTED_STATES = 1500;

/** Values of all these cases. */
export function valueExpression(cases: readonly Case[], compiler: SchemaCompiler): Expression {
  return choice(...cases.map((nodes) => caseExpression(nodes, compiler)));
}

function caseExpression(nodes: Case, compiler: SchemaCompiler): Expression {
  const values = caseValues(nodes, compiler);
  if (values) return oneOf(values.map((value) => JSON.stringify(value)));
  return choice(...caseTypes(nodes).map((type) => typeExpression(type, nodes, compiler)));
}

function typeExpression(type: JsonType, nodes: Case, compiler: SchemaCompiler): Expression {
  switch (type) {
    case "null":
      return literal("null");
    case "boolean":
      return choice(literal("true"), literal("false"));
    case "number":
      return number(numberFacts(nodes), compiler);
    case "string":
      return string(nodes, compiler);
    case "array":
      return arrayExpression(nodes, compiler);
    case "object":
      return objectExpression(nodes, compiler);
  }
}

export const caseTypes = (nodes: Case): JsonType[] =>
  JSON_TYPES.filter((type) => nodes.every(({ types }) => types.has(type)));

/** Where `enum` or `const` lists them: the values that keep to everything else, too. */
function caseValues(nodes: Case, compiler: SchemaCompiler): readonly unknown[] | undefined {
  const lists = nodes.flatMap(({ values }) => values ?? []);
  if (lists.length === 0) return undefined;
  const shortest = lists.reduce((best, list) => (list.size < best.size ? list : best));
  spend(shortest.size * nodes.length);
  const common = [...shortest].filter(([text]) => lists.every((list) => list.has(text)));
  return common
    .map(([, value]) => value)
    .filter((value) => nodes.every((node) => isValid(value, node, compiler, true)));
}

const numberFacts = (nodes: Case): NumberFacts => ({
  integer: nodes.some(({ integer }) => integer),
  lower: nodes.flatMap(({ lower }) => lower),
  upper: nodes.flatMap(({ upper }) => upper),
  multiples: nodes.flatMap(({ multipleOf }) => multipleOf ?? []),
});

function number(facts: NumberFacts, compiler: SchemaCompiler): Expression {
  if (facts.lower.length + facts.upper.length + facts.multiples.length > 0) return numberExpression(facts);
  return facts.integer
    ? compiler.named("integer", "an integer", () => INTEGER)
    : compiler.named("number", "a number", () => NUMBER);
}

function string(nodes: Case, compiler: SchemaCompiler): Expression {
  const { min, max } = stringLength(nodes);
  const patterns = nodes.flatMap((node) => node.patterns);
  if (patterns.length === 0) {
    if (min === 0 && max === Number.POSITIVE_INFINITY) return compiler.named("string", "a string", () => STRING);
    checkLimit("schema: minLength", min, MAX_REPEAT);
    if (min > max) return NEVER;
    const char = choice(
      PLAIN_CHAR,
      compiler.named("escape", "an escape", () => ESCAPE),
    );
    const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT);
    const text = () => sequence(literal('"'), repeat(char, min, most), literal('"'));
    return compiler.named(`string ${min} ${most}`, `a string of ${min} to ${most} characters`, text);
  }
  const language = stringLanguage(patterns, { min, max });
  return isEmpty(language) ? NEVER : stringOf(language);
}

function stringLanguage(patterns: readonly Dfa[], { min, max }: Range): Dfa {
  const language = patterns.reduce(intersectDfas);
  if (min === 0 && max === Number.POSITIVE_INFINITY) return language;
  if (min > max) return { accepts: [], edges: [] };
  const room = Math.floor(COUNTED_STATES / (language.accepts.length + 1));
  const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, Math.max(room, min + 16));
  return intersectDfas(language, lengthDfa(min, most));
}

const stringLength = (nodes: Case): Range => tightestRange(nodes.map(({ length }) => length));

/** What several ranges have in common. */
export function tightestRange(ranges: readonly Range[]): Range {
  return { min: Math.max(0, ...ranges.map(({ min }) => min)), max: Math.min(...ranges.map(({ max }) => max)) };
}

/** True if certainly no value keeps to the case. */
export function isVoid(nodes: Case, compiler: SchemaCompiler, depth: number): boolean {
  const values = caseValues(nodes, compiler);
  if (values) return values.length === 0;
  return caseTypes(nodes).every((type) => {
    if (type === "number") return isVoidRange(numberFacts(nodes));
    if (type === "array") return isVoidArray(nodes, compiler, depth);
    if (type === "object") return isVoidObject(nodes, compiler, depth);
    if (type !== "string") return false;
    const length = stringLength(nodes);
    const patterns = nodes.flatMap((node) => node.patterns);
    return length.min > length.max || (patterns.length > 0 && isEmpty(stringLanguage(patterns, length)));
  });
}

/** True if a text keeps to what the schemas say of strings. */
export function isValidString(text: string, nodes: Case): boolean {
  const { min, max } = stringLength(nodes);
  const length = [...text].length;
  return length >= min && length <= max && nodes.every(({ patterns }) => patterns.every((dfa) => matches(dfa, text)));
}
