/**
 * Objects of a schema. Properties that it names come in its order, then all others.
 * @module
 */
import { type Dfa, intersectDfas, isEmpty, lengthDfa, matches, subtractDfa, textsDfa } from "../dfa.ts";
import { choice, EMPTY, type Expression, literal, NEVER, optional, repeat, sequence } from "../expression.ts";
import { keyOf, SPACE, STRING } from "../json.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_REPEAT } from "../limits.ts";
import { tightestRange } from "./case.ts";
import type { Case, SchemaCompiler } from "./compiler.ts";
import type { SchemaNode } from "./node.ts";
import { isValid } from "./valid.ts";

const SEPARATOR: Expression = sequence(literal(","), SPACE);
const COLON: Expression = sequence(literal(":"), SPACE);
const ANY_KEY: Dfa = lengthDfa(0, Number.POSITIVE_INFINITY);
/** Sets of other keys that `patternProperties` tell apart. */
const MAX_KEY_CLASSES = 32;

/** A property that may stand in the object. */
interface Property {
  readonly pair: Expression;
  readonly required: boolean;
}

export function objectExpression(nodes: Case, compiler: SchemaCompiler): Expression {
  const { min, max } = tightestRange(nodes.map(({ size }) => size));
  const required = new Set(nodes.flatMap((node) => node.required));
  const names = propertyNames(nodes);
  checkLimit("schema: properties", names.length, MAX_ALTERNATIVES);
  if (min > max || required.size > max) return NEVER;
  const properties: Property[] = [];
  for (const name of names) {
    if (isNameAllowed(name, nodes, compiler)) {
      const value = compiler.goalRule(propertyGoal(nodes, name, compiler));
      properties.push({ pair: sequence(literal(JSON.stringify(name)), COLON, value), required: required.has(name) });
    } else if (required.has(name)) return NEVER;
  }
  // The same key could come twice among the others, so that they count as one towards the least number.
  if (min > properties.length + 1) {
    throw grammarError(
      `schema: minProperties at ${nodes[0]!.where}: expected at most one more than are named, got ${min}`,
    );
  }
  const listed = nodes.some((node) => node.properties.size > 0);
  const open = !listed || min > properties.length || nodes.some((node) => node.additional !== undefined);
  const others = otherPairs(nodes, names, open, compiler);
  const body = members({ properties, others, min, max }, `object ${nodes.map(({ id }) => id).join()}`, compiler);
  return sequence(literal("{"), SPACE, body, SPACE, literal("}"));
}

interface Members {
  readonly properties: readonly Property[];
  /** One of the keys that are not named. */
  readonly others: Expression;
  readonly min: number;
  readonly max: number;
}

/** A rule for what comes from property `at` on when `count` are there; counts beyond all bounds are one. */
function members({ properties, others, min, max }: Members, key: string, compiler: SchemaCompiler): Expression {
  const bounded = min > properties.filter(({ required }) => required).length || max < properties.length + MAX_REPEAT;
  const top = bounded ? Math.max(1, min, Number.isFinite(max) ? Math.min(max, properties.length + MAX_REPEAT) : 0) : 1;

  const from = (at: number, count: number): Expression => {
    const parts: Expression[] = [];
    for (let i = at; i < properties.length; i++) {
      const { pair, required } = properties[i]!;
      const taken = sequence(...(count > 0 ? [SEPARATOR] : []), pair);
      const next = Math.min(count + 1, top);
      if (!required) {
        const left = tail(i + 1, count);
        parts.push(count >= max ? left : choice(sequence(taken, tail(i + 1, next)), left));
        return sequence(...parts);
      }
      if (count >= max) return NEVER;
      parts.push(taken);
      count = next;
    }
    return sequence(...parts, rest(count));
  };
  const rest = (count: number): Expression => {
    const room = Math.min(max - count, MAX_REPEAT);
    const least = count < min ? 1 : 0;
    if (least > 0 && count + 1 < min) return NEVER;
    if (room <= 0) return least > 0 ? NEVER : EMPTY;
    const most = max === Number.POSITIVE_INFINITY ? max : room;
    const more = (from: number, to: number) => repeat(sequence(SEPARATOR, others), from, to);
    if (count > 0) return more(least, most);
    const list = sequence(others, more(0, most - 1));
    return least > 0 ? list : optional(list);
  };
  const tail = (at: number, count: number): Expression =>
    compiler.named(`${key} ${at} ${count}`, `properties from ${at} on`, () => from(at, count));
  return from(0, 0);
}

/** Pairs whose key is not named: keys that other patterns match have other values. */
function otherPairs(nodes: Case, names: readonly string[], open: boolean, compiler: SchemaCompiler): Expression {
  const patterned = nodes.some((node) => node.patternProperties.length > 0);
  if (!open && !patterned) return NEVER;
  const nameSchemas = nameGoal(nodes, compiler);
  const plain = names.length === 0 && !patterned && nameSchemas.length === 0;
  if (plain) return sequence(STRING, COLON, compiler.goalRule(valueGoal(nodes, () => false, compiler)));

  const choices = nameSchemas.length === 0 ? [ANY_KEY] : nameLanguages(nameSchemas, compiler);
  const allowed = choices.map((language) => (names.length > 0 ? subtractDfa(language, textsDfa(names)) : language));
  let classes = allowed.map((keys) => ({ keys, matched: new Set<Dfa>() }));
  for (const [pattern] of nodes.flatMap((node) => node.patternProperties)) {
    classes = classes.flatMap(({ keys, matched }) => [
      { keys: intersectDfas(keys, pattern), matched: new Set([...matched, pattern]) },
      { keys: subtractDfa(keys, pattern), matched },
    ]);
    classes = classes.filter(({ keys }) => !isEmpty(keys));
    checkLimit("schema: patternProperties that overlap", classes.length, MAX_KEY_CLASSES);
  }
  if (!open) classes = classes.filter(({ matched }) => matched.size > 0);
  return choice(
    ...classes.map(({ keys, matched }) =>
      sequence(keyOf(keys), COLON, compiler.goalRule(valueGoal(nodes, (pattern) => matched.has(pattern), compiler))),
    ),
  );
}

/** Schemas of a value whose key is not named, by which patterns match the key. */
function valueGoal(nodes: Case, matched: (pattern: Dfa) => boolean, compiler: SchemaCompiler): SchemaNode[] {
  return nodes.flatMap((node) => {
    const found = node.patternProperties.filter(([pattern]) => matched(pattern)).map(([, raw]) => raw);
    if (found.length === 0 && node.additional !== undefined) found.push(node.additional);
    return found.map((raw) => compiler.node(raw, `${node.where}/additionalProperties`));
  });
}

/** Schemas of the value of a named property. */
export function propertyGoal(nodes: Case, name: string, compiler: SchemaCompiler): SchemaNode[] {
  return nodes.flatMap((node) => {
    const raw = node.properties.get(name);
    const here = raw === undefined ? [] : [compiler.node(raw, `${node.where}/properties/${name}`)];
    const found = node.patternProperties.filter(([pattern]) => matches(pattern, name));
    for (const [, schema] of found) here.push(compiler.node(schema, `${node.where}/patternProperties`));
    if (here.length > 0 || node.additional === undefined) return here;
    return [compiler.node(node.additional, `${node.where}/additionalProperties`)];
  });
}

const propertyNames = (nodes: Case): string[] => [
  ...new Set([...nodes.flatMap((node) => [...node.properties.keys()]), ...nodes.flatMap((node) => node.required)]),
];

const nameGoal = (nodes: Case, compiler: SchemaCompiler): SchemaNode[] =>
  nodes.flatMap(({ propertyNames: raw, where }) =>
    raw === undefined ? [] : [compiler.node(raw, `${where}/propertyNames`)],
  );

const isNameAllowed = (name: string, nodes: Case, compiler: SchemaCompiler): boolean =>
  nameGoal(nodes, compiler).every((node) => isValid(name, node, compiler));

/** Keys that keep to `propertyNames`. */
function nameLanguages(goal: Case, compiler: SchemaCompiler): Dfa[] {
  return compiler.cases(goal).flatMap((nodes) => {
    if (!nodes.every(({ types }) => types.has("string"))) return [];
    const { min, max } = tightestRange(nodes.map(({ length }) => length));
    if (min > max) return [];
    const listed = nodes.flatMap(({ values }) => (values ? [values] : []));
    const texts = listed.map((values) => textsDfa([...values.values()].filter((value) => typeof value === "string")));
    const parts = [...texts, ...nodes.flatMap(({ patterns }) => patterns)];
    const length = lengthDfa(min, max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT));
    return [parts.reduce(intersectDfas, length)].filter((language) => !isEmpty(language));
  });
}

export function isVoidObject(nodes: Case, compiler: SchemaCompiler, depth: number): boolean {
  const { min, max } = tightestRange(nodes.map(({ size }) => size));
  const required = new Set(nodes.flatMap((node) => node.required));
  if (min > max || required.size > max) return true;
  if (depth === 0) return false;
  return [...required].some(
    (name) => !isNameAllowed(name, nodes, compiler) || compiler.isVoid(propertyGoal(nodes, name, compiler), depth - 1),
  );
}
