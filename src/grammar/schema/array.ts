/**
 * Arrays of a schema.
 * @module
 */
import { EMPTY, type Expression, literal, NEVER, optional, repeat, sequence } from "../expression.ts";
import { checkLimit, MAX_REPEAT } from "../limits.ts";
import type { Case, SchemaContext } from "./context.ts";
import { itemGoal } from "./goals.ts";
import { SEPARATOR, SPACE } from "./json-text.ts";
import { commonRange, type Range } from "./node.ts";

/** `[`, the items that have a schema each, all others, `]`. */
export function arrayExpression(nodes: Case, context: SchemaContext): Expression {
  const { min, max } = itemCount(nodes);
  if (min > max) return NEVER;
  checkLimit("schema: minItems", min, MAX_REPEAT);
  const most = max === Number.POSITIVE_INFINITY ? max : Math.min(max, MAX_REPEAT);
  const prefix = Math.min(prefixLength(nodes), most);
  const item = (at: number) => context.goalRule(itemGoal(nodes, at, context));
  const key = `array ${nodes.map(({ id }) => id).join()}`;

  /** Everything from the item `at` on. */
  const from = (at: number): Expression => {
    if (at < prefix) {
      const next = sequence(...(at > 0 ? [SEPARATOR] : []), item(at), tail(at + 1));
      return at < min ? next : optional(next);
    }
    const least = Math.max(0, min - at);
    if (at >= most) return EMPTY;
    if (at > 0) return repeat(sequence(SEPARATOR, item(at)), least, most - at);
    const list = sequence(item(0), repeat(sequence(SEPARATOR, item(0)), Math.max(0, least - 1), most - 1));
    return least > 0 ? list : optional(list);
  };
  // Each is a rule, so that a thousand items do not make an expression that is a thousand levels deep.
  const tail = (at: number): Expression => context.named(`${key} ${at}`, `items from ${at} on`, () => from(at));
  return sequence(literal("["), SPACE, from(0), SPACE, literal("]"));
}

const itemCount = (nodes: Case): Range => commonRange(nodes.map(({ count }) => count));

const prefixLength = (nodes: Case): number => Math.max(0, ...nodes.map((node) => node.prefixItems.length));

/** True if it is certain that no array satisfies a case. */
export function isVoidArray(nodes: Case, context: SchemaContext, depth: number): boolean {
  const { min, max } = itemCount(nodes);
  if (min > max) return true;
  if (depth === 0) return false;
  const checked = Math.min(min, prefixLength(nodes) + 1);
  return Array.from({ length: checked }, (_, at) => itemGoal(nodes, at, context)).some((goal) =>
    context.isVoid(goal, depth - 1),
  );
}
