/**
 * Arrays whose items depend on those before them: `contains` and `uniqueItems`.
 * @module
 */
import { choice, EMPTY, type Expression, literal, NEVER, sequence } from "../expression.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { differingItems } from "./differing-items.ts";
import { finiteValues } from "./finite.ts";
import { itemGoal } from "./goals.ts";
import { SEPARATOR } from "./json-text.ts";
import type { Contains, Range } from "./node.ts";
import { Validator } from "./valid.ts";

/** Sets of values that may stand before an item. If there are more, the matcher compares the items. */
const MAX_SETS = 300;
/** Items of which every two are compared. */
const MAX_COMPARED = 8;
const VOID_DEPTH = 2;

export interface Places {
  readonly count: Range;
  /** The number of items that have a schema of their own. */
  readonly prefix: number;
  /** The items from a place on, if nothing is left to track. */
  readonly untracked: (at: number) => Expression;
}

/**
 * The items of an array, or undefined if none of them depends on another.
 * @throws NibbleError `invalid_argument` for `uniqueItems` of values with several texts
 */
export function trackedItems(nodes: Case, places: Places, context: SchemaContext): Expression | undefined {
  const containers = nodes.flatMap(({ contains, where }) =>
    contains ? [readContainer(contains, where, context)] : [],
  );
  const isListUnique = isUnique(nodes, places, context);
  const values = isListUnique ? uniqueValues(nodes, places, context) : undefined;
  if (containers.length === 0 && !isListUnique) return undefined;
  const isLong = countSets(values, places.count.max - 1) > MAX_SETS;
  if (isListUnique && (!values || isLong)) return differingItems(nodes, places.count, context);
  const none = containers.map(() => 0);
  return new TrackedItems(nodes, { places, values, containers }, context).from(0, none, []);
}

function readContainer({ schema, contrary, min, max }: Contains, where: string, context: SchemaContext): Container {
  const goal = [context.node(schema, `${where}/contains`)];
  return {
    goal,
    others: max === Number.POSITIVE_INFINITY ? [] : [context.node(contrary, `${where}/contains`)],
    min,
    max,
  };
}

/** Whether items must differ, though the schema of some two allows the same value. */
function isUnique(nodes: Case, { count, prefix }: Places, context: SchemaContext): boolean {
  if (count.max <= 1 || !nodes.some(({ uniqueItems }) => uniqueItems)) return false;
  if (count.max > MAX_COMPARED) return true;
  const goals = Array.from({ length: count.max }, (_, at) => itemGoal(nodes, Math.min(at, prefix), context));
  return goals.some((a, i) => goals.slice(i + 1).some((b) => !context.isVoid([...a, ...b], VOID_DEPTH)));
}

/** The values of each place; undefined if they are too many to list. */
function uniqueValues(nodes: Case, { prefix }: Places, context: SchemaContext) {
  const values = Array.from({ length: prefix + 1 }, (_, at) => finiteValues(itemGoal(nodes, at, context), context));
  return values.every((each) => each !== undefined) ? values : undefined;
}

interface Tracked {
  readonly places: Places;
  /** The values of each place, if items must differ. */
  readonly values: readonly ReadonlyMap<string, unknown>[] | undefined;
  /** The schemas that some items must satisfy (`contains`), and their numbers. */
  readonly containers: readonly Container[];
}

interface Container extends Range {
  readonly goal: Goal;
  /** What an item that is not counted must satisfy: the contrary, if `max` is limited, so that all others are counted. */
  readonly others: Goal;
}

/** The number from which items need not be counted. */
const lastCount = ({ min, max }: Container): number => (max === Number.POSITIVE_INFINITY ? min : max);

class TrackedItems {
  readonly #nodes: Case;
  readonly #tracked: Tracked;
  readonly #context: SchemaContext;
  readonly #key: string;
  /** The `jsonText` of all values in the order of the schema. */
  readonly #order: readonly string[];

  constructor(nodes: Case, tracked: Tracked, context: SchemaContext) {
    this.#nodes = nodes;
    this.#tracked = tracked;
    this.#context = context;
    this.#key = `tracked ${nodes.map(({ id }) => id).join()}`;
    this.#order = [...new Set((tracked.values ?? []).flatMap((values) => [...values.keys()]))];
  }

  /**
   * Everything from the item `at` on.
   * @param contained how many items so far satisfy each `contains`
   * @param taken the numbers of the values so far, sorted
   */
  from(at: number, contained: readonly number[], taken: readonly number[]): Expression {
    const { places, values, containers } = this.#tracked;
    const { min, max } = places.count;
    const isEnough = containers.every((each, i) => contained[i]! >= each.min);
    const isLimited = containers.some((each) => each.max !== Number.POSITIVE_INFINITY);
    if (isEnough && !isLimited && !values) return places.untracked(at);
    const mayEnd = at >= min && isEnough;
    if (at >= max) return mayEnd ? EMPTY : NEVER;
    const next = values ? this.#uniqueItem(at, contained, taken) : this.#countedItem(at, contained);
    return choice(...(mayEnd ? [EMPTY] : []), ...next.map((item) => sequence(...(at > 0 ? [SEPARATOR] : []), item)));
  }

  /** An item that satisfies some of the `contains`, and all items after it. */
  #countedItem(at: number, contained: readonly number[]): Expression[] {
    let ways = [{ goal: itemGoal(this.#nodes, at, this.#context), counts: [] as readonly number[] }];
    for (const [i, container] of this.#tracked.containers.entries()) {
      const count = contained[i]!;
      const mayCount = count < lastCount(container);
      ways = ways.flatMap(({ goal, counts }) => [
        ...(mayCount ? [{ goal: [...goal, ...container.goal], counts: [...counts, count + 1] }] : []),
        { goal: [...goal, ...container.others], counts: [...counts, count] },
      ]);
    }
    return ways.map(({ goal, counts }) => sequence(this.#context.goalRule(goal), this.#rule(at + 1, counts, [])));
  }

  /** A value that is not taken, and all items after it. */
  #uniqueItem(at: number, contained: readonly number[], taken: readonly number[]): Expression[] {
    const validator = new Validator(this.#context, false);
    const { containers } = this.#tracked;
    const values = this.#tracked.values!;
    return [...values[Math.min(at, values.length - 1)]!].flatMap(([text, value]) => {
      const number = this.#order.indexOf(text);
      if (taken.includes(number)) return [];
      const counts = containers.map(({ goal }, i) => contained[i]! + (validator.isValid(value, goal) ? 1 : 0));
      if (containers.some(({ max }, i) => counts[i]! > max)) return [];
      const nowTaken = [...taken, number].sort((a, b) => a - b);
      return [sequence(literal(JSON.stringify(value)), this.#rule(at + 1, counts, nowTaken))];
    });
  }

  #rule(at: number, contained: readonly number[], taken: readonly number[]): Expression {
    const { places, values, containers } = this.#tracked;
    const { min, max } = places.count;
    // All places and counts beyond the limits share a rule.
    const place = Number.isFinite(max) ? at : Math.min(at, Math.max(min, places.prefix, 1));
    const counts = containers.map((each, i) => Math.min(contained[i]!, lastCount(each)));
    const key = `${this.#key} ${place} ${counts.join()} ${values ? taken.join() : ""}`;
    return this.#context.named(key, `items from ${place} on`, () => this.from(place, counts, taken));
  }
}

/** The number of sets with up to `size` of the values. */
function countSets(values: readonly ReadonlyMap<string, unknown>[] | undefined, size: number): number {
  const count = new Set((values ?? []).flatMap((each) => [...each.keys()])).size;
  let sets = 1;
  let total = 1;
  for (let i = 0; i < Math.min(size, count) && total <= MAX_SETS; i++) {
    sets = (sets * (count - i)) / (i + 1);
    total += sets;
  }
  return total;
}
