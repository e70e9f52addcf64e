/**
 * Numbers with bounds and multiples as regular languages over their decimal digits.
 *
 * Texts have at most 15 digits: two of them are then never the same double, and one that differs from a bound's shortest
 * spelling is a double on the same side of it. So decimal order is the order that a validator sees.
 * @module
 */
import { type Dfa, explore, intersectDfas, isEmpty, lengthDfa, patternDfa } from "../dfa.ts";
import { choice, type Expression, literal, NEVER, sequence } from "../expression.ts";
import { MAX_DIGITS, spellPlain } from "../json.ts";
import { checkLimit, grammarError, MAX_DFA_STATES } from "../limits.ts";
import { parsePattern } from "../pattern.ts";
import type { Bound } from "./node.ts";

export interface NumberFacts {
  readonly integer: boolean;
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
  readonly multiples: readonly number[];
}

/** Numbers without exponent that keep to all facts; matches nothing if there is none. */
export function numberExpression(facts: NumberFacts): Expression {
  const lower = tightest(facts.lower, 1);
  const upper = tightest(facts.upper, -1);
  const parts: Expression[] = [];
  // A negative number is a minus and a magnitude whose bounds are the other way round.
  for (const negative of [false, true]) {
    const from = negative ? flip(upper) : lower;
    const to = negative ? flip(lower) : upper;
    if (to && (to.value < 0 || (to.value === 0 && (to.exclusive || negative)))) continue;
    const magnitude = magnitudes(facts, from && from.value >= 0 ? from : undefined, to);
    if (isEmpty(magnitude)) continue;
    const digits: Expression = { kind: "automaton", dfa: magnitude, spell: spellPlain };
    parts.push(negative ? sequence(literal("-"), digits) : digits);
  }
  return parts.length === 0 ? NEVER : choice(...parts);
}

function magnitudes({ integer, multiples }: NumberFacts, from: Bound | undefined, to: Bound | undefined): Dfa {
  const whole = `(0|[1-9][0-9]{0,${MAX_DIGITS - 1}})`;
  let dfa = patternDfa(parsePattern(integer ? whole : `${whole}(\\.[0-9]{1,${MAX_DIGITS - 1}})?`));
  if (!integer) dfa = intersectDfas(dfa, lengthDfa(1, MAX_DIGITS + 1));
  if (from) dfa = intersectDfas(dfa, compareDfa(within(from), 1));
  if (to && to.value < LARGE) dfa = intersectDfas(dfa, compareDfa(within(to), -1));
  for (const multiple of multiples) dfa = intersectDfas(dfa, multipleDfa(multiple));
  return dfa;
}

/** No text is beyond the one, and none but zero below the other. */
const LARGE = 10 ** MAX_DIGITS;
const SMALL = 10 ** -MAX_DIGITS;

/** The same bound for the texts there are. */
function within(bound: Bound): Bound {
  if (bound.value > LARGE) return { value: LARGE, exclusive: true };
  return bound.value > 0 && bound.value < SMALL ? { value: SMALL, exclusive: true } : bound;
}

function tightest(bounds: readonly Bound[], sign: 1 | -1): Bound | undefined {
  return bounds.reduce<Bound | undefined>((best, bound) => {
    if (!best) return bound;
    const more = (bound.value - best.value) * sign;
    return more > 0 || (more === 0 && bound.exclusive) ? bound : best;
  }, undefined);
}

const flip = (bound: Bound | undefined): Bound | undefined => bound && { ...bound, value: -bound.value };

/** True if no number can keep to the bounds. */
export function isVoidRange({ integer, lower, upper }: NumberFacts): boolean {
  const [from, to] = [tightest(lower, 1), tightest(upper, -1)];
  if (!from || !to) return false;
  if (from.value > to.value || (from.value === to.value && (from.exclusive || to.exclusive))) return true;
  if (!integer) return false;
  const first = from.exclusive ? Math.floor(from.value) + 1 : Math.ceil(from.value);
  const last = to.exclusive ? Math.ceil(to.value) - 1 : Math.floor(to.value);
  return first > last;
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => ({ digit, code: 0x30 + digit }));
const POINT = 0x2e;

interface Comparison {
  /** Digits of the whole part so far; -1 behind the point, where `at` counts. */
  readonly whole: number;
  readonly at: number;
  /** Of the text so far against as many digits of the bound: -1, 0, 1. */
  readonly order: number;
}

/** Magnitudes (digits, perhaps a point and digits; no leading zeros) above a bound of 0 or more, or below it. */
function compareDfa({ value, exclusive }: Bound, sign: 1 | -1): Dfa {
  const { whole, fraction } = decimal(value);
  return explore<Comparison>({
    start: { whole: 0, at: 0, order: 0 },
    key: (state) => `${state.whole} ${state.at} ${state.order}`,
    accepts: (state) => {
      const order = total(state);
      return order === 0 ? !exclusive : order * sign > 0;
    },
    next: (state) => {
      const edges = DIGITS.map(({ digit, code }) => ({ from: code, to: code, state: read(state, digit) }));
      if (state.whole > 0) {
        const order = wholeOrder(state);
        const behind = { whole: -1, at: 0, order };
        return [{ from: POINT, to: POINT, state: behind }, ...edges];
      }
      return edges;
    },
  });

  function read({ whole: count, at, order }: Comparison, digit: number): Comparison {
    const of = count < 0 ? fraction : whole;
    const place = count < 0 ? at : count;
    const next = order || Math.sign(digit - Number(of[place] ?? "0"));
    if (count < 0) return { whole: -1, at: order || at >= fraction.length ? fraction.length + 1 : at + 1, order: next };
    return { whole: Math.min(count + 1, whole.length + 1), at: 0, order: count >= whole.length ? 1 : next };
  }

  /** More digits are a larger number, whatever they are. */
  function wholeOrder({ whole: count, order }: Comparison): number {
    return Math.sign(count - whole.length) || order;
  }

  function total(state: Comparison): number {
    if (state.whole >= 0) return wholeOrder(state) || (/[1-9]/.test(fraction) ? -1 : 0);
    return state.order || (/[1-9]/.test(fraction.slice(state.at)) ? -1 : 0);
  }
}

interface Remainder {
  readonly value: number;
  /** Digits behind the point; -1 before it. */
  readonly places: number;
}

function multipleDfa(multiple: number): Dfa {
  const { whole, fraction } = decimal(multiple);
  const modulus = Number(whole + fraction);
  checkLimit("schema: multipleOf, in its last decimal place", modulus, MAX_DFA_STATES / 4);
  const scale = (value: number, places: number) => {
    for (let i = Math.max(0, places); i < fraction.length; i++) value = (value * 10) % modulus;
    return value;
  };
  return explore<Remainder>({
    start: { value: 0, places: -1 },
    key: ({ value, places }) => `${value} ${places}`,
    accepts: ({ value, places }) => scale(value, places) === 0,
    next: ({ value, places }) => {
      const point = { from: POINT, to: POINT, state: { value, places: 0 } };
      // Places beyond the multiple's own can only be zeros; they are left out.
      if (places === fraction.length) return [];
      const edges = DIGITS.map(({ digit, code }) => ({
        from: code,
        to: code,
        state: { value: (value * 10 + digit) % modulus, places: places < 0 ? -1 : places + 1 },
      }));
      return places < 0 ? [point, ...edges] : edges;
    },
  });
}

/** The digits of a number of 0 or more, in its shortest spelling and without an exponent. */
function decimal(value: number): { whole: string; fraction: string } {
  const [digits, exponent = "0"] = String(value).split("e");
  const [whole, fraction = ""] = digits!.split(".");
  const shift = Number(exponent);
  if (Math.abs(shift) > 64)
    throw grammarError(`schema: expected bounds and multiples from 1e-64 to 1e64, got ${value}`);
  if (shift >= 0)
    return { whole: whole! + fraction.padEnd(shift, "0").slice(0, shift), fraction: fraction.slice(shift) };
  return { whole: "0", fraction: whole!.padStart(-shift, "0") + fraction };
}
