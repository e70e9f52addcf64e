/**
 * Python's operators.
 * @module
 */
import type { Budget } from "./budget.ts";
import { compareValues, equals } from "./comparison.ts";
import { fail } from "./errors.ts";
import { iterate } from "./iterate.ts";
import { bitsOf, divmodFloat, floorDivide, numberOf, trueDivide } from "./numbers.ts";
import { formatPercent } from "./percent.ts";
import { escapeHtml, toText } from "./printing.ts";
import {
  Dict,
  integerOf,
  Lazy,
  Markup,
  Range,
  Tuple,
  textOf,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** `left operator right` for arithmetic. @throws JinjaError for operands that have no such operation */
export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  if (left instanceof Undefined) left.fail();
  if (operator === "%" && textOf(left) !== undefined) return formatPercent(left as string | Markup, right, budget);
  if (right instanceof Undefined) right.fail();
  const [a, b] = [integerOf(left), integerOf(right)];
  if (a !== undefined && b !== undefined) return integers(operator, a, b, budget);
  const [x, y] = [numberOf(left), numberOf(right)];
  if (x !== undefined && y !== undefined) return floats(operator, x, y);
  if (operator === "+") return join(left, right, budget) ?? unsupported(operator, left, right);
  if (operator === "*" && a !== undefined) return repeat(right, a, budget) ?? unsupported(operator, left, right);
  if (operator === "*" && b !== undefined) return repeat(left, b, budget) ?? unsupported(operator, left, right);
  return unsupported(operator, left, right);
}

/** `+operand` or `-operand`. @throws JinjaError for values that are no numbers */
export function unary(operator: "+" | "-", operand: Value): Value {
  if (operand instanceof Undefined) operand.fail();
  const integer = integerOf(operand);
  if (integer !== undefined) return operator === "-" ? -integer : integer;
  if (typeof operand === "number") return operator === "-" ? -operand : operand;
  fail(`bad operand type for unary ${operator}: '${typeName(operand)}'`);
}

function unsupported(operator: string, left: Value, right: Value): never {
  fail(`unsupported operand types for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);
}

function integers(operator: string, a: bigint, b: bigint, budget: Budget): Value {
  if (b === 0n && (operator === "/" || operator === "//" || operator === "%")) fail("division by zero");
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      budget.integer(bitsOf(a) + bitsOf(b));
      return a * b;
    case "/":
      return trueDivide(a, b);
    case "//":
      return floorDivide(a, b);
    case "%":
      return a - floorDivide(a, b) * b;
    default:
      if (b < 0n) return floats(operator, Number(a), Number(b));
      if (a !== 0n && a !== 1n && a !== -1n) budget.integer(bitsOf(a) * Number(b));
      return a ** b;
  }
}

function floats(operator: string, x: number, y: number): number {
  if (y === 0 && (operator === "/" || operator === "//" || operator === "%")) fail("float division by zero");
  switch (operator) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "//":
      return divmodFloat(x, y)[0];
    case "%":
      return divmodFloat(x, y)[1];
    default:
      return power(x, y);
  }
}

function power(x: number, y: number): number {
  if (x === 0 && y < 0) fail("0.0 cannot be raised to a negative power");
  if (x < 0 && Number.isFinite(x) && Number.isFinite(y) && !Number.isInteger(y))
    fail("complex numbers are not supported");
  const result = x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) ? 1 : x ** y;
  if (!Number.isFinite(result) && Number.isFinite(x) && Number.isFinite(y)) fail("the result of ** is too large");
  return result;
}

function join(left: Value, right: Value, budget: Budget): Value | undefined {
  const [a, b] = [textOf(left), textOf(right)];
  if (a !== undefined && b !== undefined) {
    budget.string(a.length + b.length);
    if (typeof left === "string" && typeof right === "string") return a + b;
    return new Markup(escapeHtml(left, budget).text + escapeHtml(right, budget).text);
  }
  const lists = Array.isArray(left) && Array.isArray(right);
  if (!lists && !(left instanceof Tuple && right instanceof Tuple)) return undefined;
  const [head, tail] = lists ? [left, right] : [(left as Tuple).items, (right as Tuple).items];
  budget.list(head.length + tail.length);
  const items = [...head, ...tail];
  return lists ? items : new Tuple(items);
}

function repeat(value: Value, times: bigint, budget: Budget): Value | undefined {
  if (times > 2n ** 63n) fail("a sequence cannot be repeated so often");
  const count = times > 0n ? Math.min(Number(times), Number.MAX_SAFE_INTEGER) : 0;
  const text = textOf(value);
  if (text !== undefined) {
    budget.string(text.length * count);
    return typeof value === "string" ? text.repeat(count) : new Markup(text.repeat(count));
  }
  const items = Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;
  if (!items) return undefined;
  budget.list(items.length * count);
  const repeated = items.length === 0 ? [] : Array.from({ length: count }, () => items).flat();
  return Array.isArray(value) ? repeated : new Tuple(repeated);
}

/** `a ~ b ~ c`. The result is safe text only where HTML is escaped. */
export function concatenate(values: readonly Value[], autoescape: boolean, budget: Budget): Value {
  const safe = autoescape && values.some((value) => value instanceof Markup);
  const parts = values.map((value) => (safe ? escapeHtml(value, budget).text : toText(value, budget)));
  budget.string(parts.reduce((length, part) => length + part.length, 0));
  return safe ? new Markup(parts.join("")) : parts.join("");
}

/** `left operator right` for comparisons, `in` and `not in`. @throws JinjaError for values without an order */
export function compare(operator: string, left: Value, right: Value, budget: Budget): boolean {
  switch (operator) {
    case "==":
      return equals(left, right, budget);
    case "!=":
      return !equals(left, right, budget);
    case "in":
      return contains(right, left, budget);
    case "not in":
      return !contains(right, left, budget);
    case "<":
      return compareValues(left, right, budget, "<") < 0;
    case "<=":
      return compareValues(left, right, budget, "<=") <= 0;
    case ">":
      return compareValues(left, right, budget, ">") > 0;
    default:
      return compareValues(left, right, budget, ">=") >= 0;
  }
}

/** `part in whole` */
export function contains(whole: Value, part: Value, budget: Budget): boolean {
  const text = textOf(whole);
  if (text !== undefined) {
    const wanted = textOf(part) ?? fail(`'in <string>' requires a str on the left, got '${typeName(part)}'`);
    budget.search(text, wanted);
    return text.includes(wanted);
  }
  if (whole instanceof Dict) return whole.has(part);
  if (whole instanceof Range) {
    const number = integerOf(part) ?? (typeof part === "number" && Number.isInteger(part) ? BigInt(part) : undefined);
    if (number === undefined) return false;
    const steps = (number - whole.start) / whole.step;
    return (number - whole.start) % whole.step === 0n && steps >= 0n && steps < BigInt(whole.length());
  }
  const elements = whole instanceof Lazy || whole instanceof View || whole instanceof Tuple || Array.isArray(whole);
  if (!elements && !(whole instanceof Undefined)) fail(`'${typeName(whole)}' is no container, so nothing is 'in' it`);
  for (const element of iterate(whole, budget)) if (element === part || equals(element, part, budget)) return true;
  return false;
}
