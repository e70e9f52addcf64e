/**
 * Equality and order of values.
 * @module
 */
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import { Dict, integerOf, itemsOf, Range, Tuple, textOf, typeName, Undefined, type Value, View } from "./values.ts";

/** `left == right` */
export function equals(left: Value, right: Value, budget: Budget): boolean {
  const [a, b] = [integerOf(left) ?? left, integerOf(right) ?? right];
  if (typeof a === "bigint" || typeof a === "number") {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 compares the numbers, exactly
    return (typeof b === "bigint" || typeof b === "number") && a == b;
  }
  const text = textOf(left);
  if (text !== undefined) {
    budget.spend(text.length / 64);
    return text === textOf(right);
  }
  if (left === right) return true;
  if (left instanceof Undefined) return right instanceof Undefined;
  const items = itemsOf(left);
  const others = itemsOf(right);
  if (items && others) return Array.isArray(left) === Array.isArray(right) && equalItems(items, others, budget);
  if (left instanceof Dict && right instanceof Dict) return equalDicts(left, right, budget);
  if (left instanceof Range && right instanceof Range)
    return left.length() === right.length() && equalRanges(left, right);
  if (left instanceof View && right instanceof View) return equalViews(left, right, budget);
  return false;
}

function equalItems(left: readonly Value[], right: readonly Value[], budget: Budget): boolean {
  if (left.length !== right.length) return false;
  budget.enter();
  const equal = left.every((item, i) => same(item, right[i]!, budget));
  budget.leave();
  return equal;
}

/** Equality of elements: in Python's containers an object always equals itself. */
function same(left: Value, right: Value, budget: Budget): boolean {
  budget.spend(1);
  return left === right || equals(left, right, budget);
}

function equalDicts(left: Dict, right: Dict, budget: Budget): boolean {
  if (left.size !== right.size) return false;
  budget.enter();
  for (const [key, value] of left.pairs()) {
    const other = right.get(key);
    if (other === undefined || !same(value, other, budget)) return false;
  }
  budget.leave();
  return true;
}

function equalRanges(left: Range, right: Range): boolean {
  const length = left.length();
  return length === 0 || (left.start === right.start && (length === 1 || left.step === right.step));
}

/** Views of keys or items are compared like sets. A view of values equals only itself. */
function equalViews(left: View, right: View, budget: Budget): boolean {
  if (left.type === "dict_values" || left.type !== right.type || left.items.length !== right.items.length) return false;
  return left.items.every((item) => right.items.some((other) => same(item, other, budget)));
}

/**
 * A negative number if `left` comes before `right`, zero if they are equal, a positive number otherwise; NaN for floats
 * without an order.
 * @throws JinjaError for values without an order
 */
export function compareValues(left: Value, right: Value, budget: Budget, operator = "<"): number {
  const [a, b] = [integerOf(left) ?? left, integerOf(right) ?? right];
  if ((typeof a === "bigint" || typeof a === "number") && (typeof b === "bigint" || typeof b === "number")) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 compares the numbers, exactly
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : Number.NaN;
  }
  const [text, other] = [textOf(left), textOf(right)];
  if (text !== undefined && other !== undefined) {
    budget.spend(Math.min(text.length, other.length) / 64);
    return compareTexts(text, other);
  }
  if ((Array.isArray(left) && Array.isArray(right)) || (left instanceof Tuple && right instanceof Tuple)) {
    return compareItems(itemsOf(left)!, itemsOf(right)!, budget, operator);
  }
  for (const value of [left, right]) if (value instanceof Undefined) value.fail();
  fail(`'${operator}' is not supported between '${typeName(left)}' and '${typeName(right)}'`);
}

function compareItems(left: readonly Value[], right: readonly Value[], budget: Budget, operator: string): number {
  budget.enter();
  let order = left.length - right.length;
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (same(left[i]!, right[i]!, budget)) continue;
    order = compareValues(left[i]!, right[i]!, budget, operator);
    break;
  }
  budget.leave();
  return order;
}

/** Compares by code points, as Python does. UTF-16 would put characters beyond U+FFFF before U+E000. */
function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  let at = 0;
  while (at < left.length && at < right.length && left[at] === right[at]) at++;
  const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
  if (Number.isNaN(a) || Number.isNaN(b)) return left.length - right.length;
  const surrogates = [a, b].map((unit) => unit >= 0xd800 && unit < 0xe000);
  if (surrogates[0] !== surrogates[1]) return surrogates[0] ? 1 : -1;
  return a - b;
}
