/**
 * Numbers with bounds and multiples as regular languages over their decimal digits.
 *
 * Texts have at most 15 digits. So no two of them are the same double, and a text that differs from the shortest spelling
 * of a bound is a double on the same side of it. Decimal order is therefore the order that a validator sees.
 * @module
 */
import { choice, type Expression, literal, plain, sequence } from "../expression.ts";
import { type Dfa, isEmpty } from "../regular/dfa.ts";
import { patternDfa } from "../regular/nfa.ts";
import { intersectDfas, lengthDfa } from "../regular/operations.ts";
import { parsePattern } from "../regular/pattern.ts";
import { compareDfa, multipleDfa } from "./decimals.ts";
import { MAX_DIGITS } from "./json-text.ts";
import type { Bound } from "./node.ts";

export interface NumberFacts {
  readonly integer: boolean;
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
  readonly multiples: readonly number[];
}

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
    const magnitude = magnitudes(facts, from && from.value >= 0 ? from : undefined, to);
    if (isEmpty(magnitude)) continue;
    parts.push(negative ? sequence(literal("-"), plain(magnitude)) : plain(magnitude));
  }
  return choice(...parts);
}

/** The numbers from 0 on that are within two bounds. */
function magnitudes({ integer, multiples }: NumberFacts, from: Bound | undefined, to: Bound | undefined): Dfa {
  const whole = `(0|[1-9][0-9]{0,${MAX_DIGITS - 1}})`;
  let dfa = patternDfa(parsePattern(integer ? whole : `${whole}(\\.[0-9]{1,${MAX_DIGITS - 1}})?`));
  if (!integer) dfa = intersectDfas(dfa, lengthDfa(1, MAX_DIGITS + 1));
  if (from) dfa = intersectDfas(dfa, compareDfa(within(from), 1));
  if (to && to.value < LARGE) dfa = intersectDfas(dfa, compareDfa(within(to), -1));
  for (const multiple of multiples) dfa = intersectDfas(dfa, multipleDfa(multiple));
  return dfa;
}

/** No text is above LARGE, and none but zero is below SMALL. */
const LARGE = 10 ** MAX_DIGITS;
const SMALL = 10 ** -MAX_DIGITS;

/** A bound that divides the texts as this one does. */
function within(bound: Bound): Bound {
  if (bound.value > LARGE) return { value: LARGE, exclusive: true };
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

/** True if no number is within the bounds. */
export function isVoidRange({ integer, lower, upper }: NumberFacts): boolean {
  const [from, to] = [tightest(lower, 1), tightest(upper, -1)];
  if (!from || !to) return false;
  if (from.value > to.value || (from.value === to.value && (from.exclusive || to.exclusive))) return true;
  if (!integer) return false;
  const first = from.exclusive ? Math.floor(from.value) + 1 : Math.ceil(from.value);
  const last = to.exclusive ? Math.ceil(to.value) - 1 : Math.floor(to.value);
  return first > last;
}
