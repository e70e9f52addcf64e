/**
 * Numbers with bounds and multiples as regular languages over their decimal digits.
 *
 * Texts have at most 15 digits, or are integers up to 2^53. So no two numbers among them are the same double, and a text
 * that differs from the shortest spelling of a bound is a double on the same side of it. Decimal order is therefore the
 * order that a validator sees.
 * @module
 */
import { choice, type Expression, literal, plain, sequence } from "../expression.ts";
import { type Dfa, isEmpty } from "../regular/dfa.ts";
import { intersectDfas, lengthDfa, subtractDfa } from "../regular/operations.ts";
import { parsePattern } from "../regular/pattern.ts";
import { patternDfa } from "../regular/pattern-dfa.ts";
import { compareDfa, multipleDfa } from "./decimals.ts";
import { MAX_DIGITS } from "./json-text.ts";
import type { Bound, Range } from "./node.ts";

export interface NumberFacts {
  readonly integer: boolean;
  /** Whether integers are not allowed. */
  readonly fractional: boolean;
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
  readonly multiples: readonly number[];
  /** Numbers that are not allowed. */
  readonly excluded: readonly number[];
}

/** Whether all numbers, or all integers, agree with the facts. */
export const isUnlimited = ({ fractional, lower, upper, multiples, excluded }: NumberFacts): boolean =>
  !fractional && lower.length + upper.length + multiples.length + excluded.length === 0;

/** The numbers without an exponent that agree with all facts. Matches nothing if there are none. */
export function numberExpression(facts: NumberFacts): Expression {
  const lower = tightest(facts.lower, 1);
  const upper = tightest(facts.upper, -1);
  const parts: Expression[] = [];
  // A negative number is a minus and a magnitude, whose bounds change places.
  for (const negative of [false, true]) {
    const from = negative ? flip(upper) : lower;
    const to = negative ? flip(lower) : upper;
    if (to && (to.value < 0 || (to.value === 0 && (to.exclusive || negative)))) continue;
    let magnitude = magnitudes(facts.integer, from && from.value >= 0 ? from : undefined, to);
    for (const multiple of facts.multiples) magnitude = intersectDfas(magnitude, multipleDfa(multiple));
    if (negative) magnitude = subtractDfa(magnitude, equalDfa(0)); // zero is spelled without a minus
    for (const value of facts.excluded) {
      if (negative ? value <= 0 : value >= 0) magnitude = subtractDfa(magnitude, equalDfa(Math.abs(value)));
    }
    if (facts.fractional) magnitude = intersectDfas(magnitude, patternDfa(parsePattern("[0-9]+\\.[0-9]*[1-9][0-9]*")));
    if (!isEmpty(magnitude)) parts.push(negative ? sequence(literal("-"), plain(magnitude)) : plain(magnitude));
  }
  return choice(...parts);
}

/** The largest number of a text. Doubles are exact for all integers up to here. */
const LARGEST: Bound = { value: 2 ** 53, exclusive: false };
/** No text but zero is below this number. */
const SMALL = 10 ** -MAX_DIGITS;

/** The numbers from 0 on that are within two bounds. */
function magnitudes(integer: boolean, from: Bound | undefined, to: Bound | undefined): Dfa {
  const whole = `(0|[1-9][0-9]{0,${MAX_DIGITS}})`;
  let dfa = patternDfa(parsePattern(integer ? whole : `${whole}(\\.[0-9]{1,${MAX_DIGITS - 1}})?`));
  if (!integer) dfa = intersectDfas(dfa, lengthDfa(1, MAX_DIGITS + 1));
  dfa = intersectDfas(dfa, compareDfa(to && to.value <= LARGEST.value ? within(to) : LARGEST, -1));
  if (from) dfa = intersectDfas(dfa, compareDfa(within(from), 1));
  return dfa;
}

/** All spellings of a number. */
function equalDfa(value: number): Dfa {
  const bound = { value, exclusive: false };
  return intersectDfas(compareDfa(bound, 1), compareDfa(bound, -1));
}

/** A bound with few digits that separates the texts at the same place as this one. */
function within(bound: Bound): Bound {
  if (bound.value > LARGEST.value) return { ...LARGEST, exclusive: true };
  return bound.value > 0 && bound.value < SMALL ? { value: SMALL, exclusive: true } : bound;
}

/** @param sign 1 for lower bounds, -1 for upper bounds */
function tightest(bounds: readonly Bound[], sign: 1 | -1): Bound | undefined {
  return bounds.reduce<Bound | undefined>((best, bound) => {
    if (!best) return bound;
    const more = (bound.value - best.value) * sign;
    return more > 0 || (more === 0 && bound.exclusive) ? bound : best;
  }, undefined);
}

const flip = (bound: Bound | undefined): Bound | undefined => bound && { ...bound, value: -bound.value };

/** The integers that are within the bounds; undefined if other numbers may be, or if there is no least or greatest one. */
export function integerRange({ integer, lower, upper }: NumberFacts): Range | undefined {
  const [from, to] = [tightest(lower, 1), tightest(upper, -1)];
  if (!integer || !from || !to) return undefined;
  return {
    min: from.exclusive ? Math.floor(from.value) + 1 : Math.ceil(from.value),
    max: to.exclusive ? Math.ceil(to.value) - 1 : Math.floor(to.value),
  };
}

/** True if no number is within the bounds. */
export function isVoidRange(facts: NumberFacts): boolean {
  const [from, to] = [tightest(facts.lower, 1), tightest(facts.upper, -1)];
  if (!from || !to) return false;
  if (from.value > to.value || (from.value === to.value && (from.exclusive || to.exclusive))) return true;
  const range = integerRange(facts);
  return range !== undefined && range.min > range.max;
}
