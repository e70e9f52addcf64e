/**
 * Expressions of mathematics, as the readers of answers make them.
 * @module
 */

export type Expression =
  /** A decimal number, exactly as it is written. */
  | { readonly type: "number"; readonly value: string }
  /** A variable. Its name is that of its letter or LaTeX command with subscript and primes. */
  | { readonly type: "symbol"; readonly name: string }
  | { readonly type: "infinity" }
  | { readonly type: "sum" | "product"; readonly terms: readonly Expression[] }
  | { readonly type: "power"; readonly base: Expression; readonly exponent: Expression }
  /** A function that is known, such as `sin` or `log` (natural, or with its base as the second argument). */
  | { readonly type: "call"; readonly name: Known; readonly args: readonly Expression[] }
  /** A function that is not known: equal arguments give equal values, and nothing else is said. */
  | { readonly type: "apply"; readonly name: string; readonly args: readonly Expression[] }
  /** `\sum` or `\prod` of the body for the index from its first to its last value. */
  | {
      readonly type: "series";
      readonly name: "sum" | "product";
      readonly index: string;
      readonly from: Expression;
      readonly to: Expression;
      readonly body: Expression;
    };

/** Two sides, each an expression or again a relation. */
export interface Relation {
  readonly type: "relation";
  readonly operator: "=" | "<" | "<=" | ">" | ">=" | "!=";
  readonly left: Expression | Relation;
  readonly right: Expression | Relation;
}

export const TRIGONOMETRIC = ["sin", "cos", "tan", "csc", "sec", "cot"] as const;
export const HYPERBOLIC = ["sinh", "cosh", "tanh"] as const;
export type Trigonometric = (typeof TRIGONOMETRIC)[number];
export type Hyperbolic = (typeof HYPERBOLIC)[number];

export type Known =
  | Trigonometric
  | `a${Trigonometric}`
  | Hyperbolic
  | `a${Hyperbolic}`
  | "exp"
  | "log"
  | "abs"
  | "floor"
  | "ceiling"
  | "conjugate"
  | "factorial"
  | "binomial";

export const number = (value: string): Expression => ({ type: "number", value });
export const product = (...terms: readonly Expression[]): Expression => ({ type: "product", terms });
export const sum = (...terms: readonly Expression[]): Expression => ({ type: "sum", terms });
export const negative = (term: Expression): Expression => product(number("-1"), term);
export const power = (base: Expression, exponent: Expression): Expression => ({ type: "power", base, exponent });
export const inverse = (term: Expression): Expression => power(term, number("-1"));
export const call = (name: Known, ...args: readonly Expression[]): Expression => ({ type: "call", name, args });

/** The parts of an expression. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case "sum":
    case "product":
      return expression.terms;
    case "power":
      return [expression.base, expression.exponent];
    case "call":
    case "apply":
      return expression.args;
    case "series":
      return [expression.from, expression.to, expression.body];
    default:
      return [];
  }
}

/** Whether a part of an expression, or the whole of it, passes a test. */
export function someOf(expression: Expression, test: (part: Expression) => boolean): boolean {
  return test(expression) || partsOf(expression).some((part) => someOf(part, test));
}

/** A text that is the same for the same expression only. */
export function textOf(expression: Expression): string {
  switch (expression.type) {
    case "number":
      return expression.value;
    case "symbol":
      return expression.name;
    default: {
      const name = "name" in expression ? expression.name : expression.type;
      return `${name}(${partsOf(expression).map(textOf).join(",")})`;
    }
  }
}
