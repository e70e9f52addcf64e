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
import { trackedItems } from "./tracked-items.ts";

/** `[`, the items, `]`. */
export function arrayExpression(nodes: Case, context: SchemaContext): Expression {
  const { min, max } = itemCount(nodes);
  if (min > max) return NEVER;
  checkLimit("schema: minItems", min, MAX_REPEAT);
  const places = prefixLength(nodes);
  const room = context.isVoid(itemGoal(nodes, places, context), 0) ? Math.min(max, places) : max;
  if (min > room) return NEVER;
  const count = { min, max: room === Number.POSITIVE_INFINITY ? room : Math.min(room, MAX_REPEAT) };
  const prefix = Math.min(places, count.max);
  const items = new Items(nodes, { count, prefix }, context);
  const expression = trackedItems(nodes, { count, prefix, untracked: (at) => items.from(at) }, context);
  return sequence(literal("["), SPACE, expression ?? items.from(0), SPACE, literal("]"));
}

/** The items that have a schema each, then all others. */
class Items {
  readonly #nodes: Case;
  readonly #context: SchemaContext;
  readonly #count: Range;
  readonly #prefix: number;
  readonly #key: string;

  constructor(nodes: Case, { count, prefix }: { count: Range; prefix: number }, context: SchemaContext) {
    this.#nodes = nodes;
    this.#context = context;
    this.#count = count;
    this.#prefix = prefix;
    this.#key = `array ${nodes.map(({ id }) => id).join()}`;
  }

  /** Everything from the item `at` on. */
  from(at: number): Expression {
    const { min, max } = this.#count;
    if (at >= max) return EMPTY;
    const item = this.#context.goalRule(itemGoal(this.#nodes, at, this.#context));
    if (at < this.#prefix) {
      const next = sequence(...(at > 0 ? [SEPARATOR] : []), item, this.#rule(at + 1));
      return at < min ? next : optional(next);
    }
    const least = Math.max(0, min - at);
    if (at > 0) return repeat(sequence(SEPARATOR, item), least, max - at);
    const list = sequence(item, repeat(sequence(SEPARATOR, item), Math.max(0, least - 1), max - 1));
    return least > 0 ? list : optional(list);
  }

  /** A rule, so that a thousand items do not make an expression that is a thousand levels deep. */
  #rule(at: number): Expression {
    return this.#context.named(`${this.#key} ${at}`, `items from ${at} on`, () => this.from(at));
  }
}

const itemCount = (nodes: Case): Range => commonRange(nodes.map(({ count }) => count));

/** The number of items that may have a schema of their own. */
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
