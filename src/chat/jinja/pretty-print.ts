/**
 * `pprint`: Python's `pprint.pformat` for 80 columns.
 * @module
 */
import type { Budget } from "./budget.ts";
import { compareValues } from "./comparison.ts";
import { fail } from "./errors.ts";
import { repr } from "./printing.ts";
import { Dict, integerOf, itemsOf, Tuple, textOf, type Value } from "./values.ts";

const WIDTH = 80;

/** Lays out a value on several lines if it does not fit on one. */
export function prettyPrint(value: Value, budget: Budget): string {
  return layOut(value, { indent: 0, allowance: 0 }, budget);
}

/** The columns before a value, and those of the closing brackets after it. */
interface Place {
  readonly indent: number;
  readonly allowance: number;
}

function layOut(value: Value, { indent, allowance }: Place, budget: Budget): string {
  const text = repr(sortedDicts(value, budget), budget);
  if (text.length <= WIDTH - indent - allowance) return text;
  if (textOf(value) !== undefined) fail("pprint of a text that does not fit on a line is not supported");
  budget.enter();
  const items = itemsOf(value);
  let laid = text;
  if (items && items.length > 0) {
    const [open, close] = value instanceof Tuple ? ["(", items.length === 1 ? ",)" : ")"] : ["[", "]"];
    laid =
      open +
      rows(items, ",\n", { indent: indent + 1, allowance: allowance + 1 }, (item, place) =>
        layOut(item, place, budget),
      ) +
      close;
  } else if (value instanceof Dict && value.size > 0) {
    const pairs = sortedPairs(value, budget);
    const row = ([key, item]: readonly [Value, Value], place: Place) => {
      const name = `${repr(key, budget)}: `;
      return name + layOut(item, { ...place, indent: place.indent + name.length }, budget);
    };
    laid = `{${rows(pairs, ",\n", { indent: indent + 1, allowance: allowance + 1 }, row)}}`;
  }
  budget.leave();
  return laid;
}

/** Lays out rows. The closing brackets follow the last one, and a comma each of the others. */
function rows<T>(items: readonly T[], end: string, place: Place, row: (item: T, place: Place) => string): string {
  const last = items.length - 1;
  return items
    .map((item, i) => row(item, { ...place, allowance: i === last ? place.allowance : 1 }))
    .join(end + " ".repeat(place.indent));
}

function sortedPairs(dict: Dict, budget: Budget): (readonly [Value, Value])[] {
  const pairs = [...dict.pairs()];
  budget.spend(pairs.length);
  const comparable =
    pairs.every(([key]) => textOf(key) !== undefined) ||
    pairs.every(([key]) => typeof key === "number" || integerOf(key) !== undefined);
  return comparable ? pairs.sort(([a], [b]) => compareValues(a, b, budget)) : pairs;
}

function sortedDicts(value: Value, budget: Budget): Value {
  budget.enter();
  const items = itemsOf(value);
  let result = value;
  if (items) {
    const inner = items.map((item) => sortedDicts(item, budget));
    result = value instanceof Tuple ? new Tuple(inner) : inner;
  } else if (value instanceof Dict) {
    result = Dict.of(sortedPairs(value, budget).map(([key, item]) => [key, sortedDicts(item, budget)] as const));
  }
  budget.leave();
  return result;
}
