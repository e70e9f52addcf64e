/**
 * Arrays of a schema.
 * @module
 */
import { type Expression, literal, NEVER, optional, repeat, sequence } from "../expression.ts";
import { SPACE } from "../json.ts";
import { checkLimit, MAX_REPEAT } from "../limits.ts";
import { tightestRange } from "./case.ts";
import type { Case, SchemaCompiler } from "./compiler.ts";
import type { Range, SchemaNode } from "./node.ts";

const SEPARATOR: Expression = sequence(literal(","), SPACE);

/** `[`, the items that have a schema each, all others, `]`. */
export function arrayExpression(nodes: Case, compiler: SchemaCompiler): Expression {
  const { min, max } = itemCount(nodes);
  if (min > max) return NEVER;
  checkLimit("schema: minItems", min, MAX_REPEAT);
  const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT);
  const prefix = Math.min(Math.max(0, ...nodes.map((node) => node.prefix.length)), most);
  const item = (at: number) => compiler.goalRule(itemGoal(nodes, at, compiler));
  const key = `array ${nodes.map(({ id }) => id).join()}`;

  /** Everything from the item `at` on. */
  const from = (at: number): Expression => {
    if (at < prefix) {
      const next = sequence(...(at > 0 ? [SEPARATOR] : []), item(at), tail(at + 1));
      return at < min ? next : optional(next);
    }
    const least = Math.max(0, min - at);
    if (at >= most) return sequence(...[]);
    if (at > 0) return repeat(sequence(SEPARATOR, item(at)), least, most - at);
    const list = sequence(item(0), repeat(sequence(SEPARATOR, item(0)), Math.max(0, least - 1), most - 1));
    return least > 0 ? list : optional(list);
  };
  // A rule each: the way through a thousand items must not be a thousand expressions deep.
  const tail = (at: number): Expression => compiler.named(`${key} ${at}`, `items from ${at} on`, () => from(at));
  return sequence(literal("["), SPACE, from(0), SPACE, literal("]"));
}

const itemCount = (nodes: Case): Range => tightestRange(nodes.map(({ count }) => count));

function itemGoal(nodes: Case, at: number, compiler: SchemaCompiler): SchemaNode[] {
  return nodes.flatMap((node) => {
    const raw = at < node.prefix.length ? node.prefix[at] : node.items;
    return raw === undefined ? [] : [compiler.node(raw, `${node.where}/items`)];
  });
}

export function isVoidArray(nodes: Case, compiler: SchemaCompiler, depth: number): boolean {
  const { min, max } = itemCount(nodes);
  if (min > max) return true;
  if (depth === 0) return false;
  const prefix = Math.max(0, ...nodes.map((node) => node.prefix.length));
  for (let at = 0; at < Math.min(min, prefix + 1); at++) {
    if (compiler.isVoid(itemGoal(nodes, at, compiler), depth - 1)) return true;
  }
  return false;
}
