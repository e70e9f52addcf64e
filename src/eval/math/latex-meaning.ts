/**
 * What sympy's reader makes of factors side by side, and of a function's name with its subscript, exponent and argument.
 * @module
 */
import {
  call,
  type Expression,
  HYPERBOLIC,
  type Hyperbolic,
  type Known,
  negative,
  number,
  power,
  product,
  someOf,
  TRIGONOMETRIC,
  type Trigonometric,
  textOf,
} from "./expression.ts";

/** What stands behind a function's name: of `\log_2^3` the base is 2 and the exponent 3. */
export interface Scripts {
  readonly base?: Expression;
  readonly exponent?: Expression;
}

/** The signs before a subscript and an exponent, and what these are of a function. */
export const SCRIPTS: readonly (readonly [sign: string, key: keyof Scripts])[] = [
  ["_", "base"],
  ["^", "exponent"],
];

/** @param name without its backslash, such as `arcsin` */
export function functionOf(name: string, argument: Expression, { base, exponent }: Scripts): Expression {
  const raised = (value: Expression): Expression => (exponent === undefined ? value : power(value, exponent));
  if (name === "exp") return raised(call("exp", argument));
  if (name === "log" || name === "ln" || name === "lg") {
    const base10 = name === "lg" ? number("10") : undefined;
    const own = base ?? base10;
    return raised(own ? call("log", argument, own) : call("log", argument));
  }
  const direct = [...TRIGONOMETRIC, ...HYPERBOLIC].find((one) => one === name);
  if (direct) {
    const isInverse = exponent !== undefined && isMinusOne(exponent);
    return isInverse ? call(`a${direct}` as Known, argument) : raised(call(direct, argument));
  }
  const inverseName = name.replace(/^arc|^ar/, "");
  return raised(call(`a${inverseName as Trigonometric | Hyperbolic}` as Known, argument));
}

function isMinusOne(value: Expression): boolean {
  if (value.type === "number") return value.value === "-1";
  return value.type === "product" && textOf(value) === textOf(negative(number("1")));
}

/** The product of factors side by side. A letter x between two of them that have no variables is a sign of multiplication. */
export function withoutTimes(factors: readonly Expression[]): Expression {
  const isConstant = (factor: Expression): boolean => !someOf(factor, ({ type }) => type === "symbol");
  const isTimes = (factor: Expression, i: number): boolean =>
    factor.type === "symbol" &&
    factor.name === "x" &&
    i > 0 &&
    i < factors.length - 1 &&
    isConstant(factors[i - 1]!) &&
    isConstant(factors[i + 1]!);
  const kept = factors.filter((factor, i) => !isTimes(factor, i));
  return kept.length === 1 ? kept[0]! : product(...kept);
}
