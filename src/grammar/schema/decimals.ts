/**
 * Regular languages of decimal numbers: those above or below a bound, and the multiples of a number.
 * @module
 */
import { checkLimit, grammarError, MAX_DFA_STATES } from "../limits.ts";
import { type Dfa, explore } from "../regular/dfa.ts";
import type { Bound } from "./node.ts";

const DIGITS = Array.from({ length: 10 }, (_, digit) => ({ digit, set: [0x30 + digit, 0x30 + digit] }));
const POINT = [0x2e, 0x2e];

interface Decimal {
  /** The digits before the point. */
  readonly whole: string;
  readonly fraction: string;
}

/** The result of comparing the digits so far with a bound. */
interface Comparison {
  /** Digits of the whole part so far; -1 after the point. */
  readonly whole: number;
  /** Digits of the fraction so far. */
  readonly places: number;
  /** The order of the digits so far and as many digits of the bound: -1, 0 or 1. */
  readonly order: number;
}

/**
 * The numbers above a bound (`sign` 1) or below it (-1). The bound is at least 0, and so are the numbers: digits without
 * leading zeros, and perhaps a point and digits.
 */
export function compareDfa({ value, exclusive }: Bound, sign: 1 | -1): Dfa {
  const bound = decimal(value);
  return explore<Comparison>({
    start: { whole: 0, places: 0, order: 0 },
    key: ({ whole, places, order }) => `${whole} ${places} ${order}`,
    accepts: (state) => {
      const order = totalOrder(state, bound);
      return order === 0 ? !exclusive : order * sign > 0;
    },
    next: (state) => {
      const edges = DIGITS.map(({ digit, set }) => ({
        set,
        state: compareDigit(state, digit, bound),
      }));
      if (state.whole <= 0) return edges;
      const afterPoint = { whole: -1, places: 0, order: wholeOrder(state, bound) };
      return [{ set: POINT, state: afterPoint }, ...edges];
    },
  });
}

function compareDigit({ whole, places, order }: Comparison, digit: number, bound: Decimal): Comparison {
  if (whole < 0) {
    const next = order || Math.sign(digit - Number(bound.fraction[places] ?? "0"));
    // Places after the bound's last one share a state, and so do all places once the order is known.
    const last = bound.fraction.length + 1;
    return { whole, places: order !== 0 || places + 1 > last ? last : places + 1, order: next };
  }
  const next = order || Math.sign(digit - Number(bound.whole[whole] ?? "0"));
  const isLonger = whole >= bound.whole.length;
  return { whole: Math.min(whole + 1, bound.whole.length + 1), places: 0, order: isLonger ? 1 : next };
}

/** A whole number with more digits is the larger one, whatever they are. */
function wholeOrder({ whole, order }: Comparison, bound: Decimal): number {
  return Math.sign(whole - bound.whole.length) || order;
}

/** The order if the text ends here: the digits of the bound that are left are compared with zeros. */
function totalOrder(state: Comparison, { whole, fraction }: Decimal): number {
  if (state.whole >= 0) return wholeOrder(state, { whole, fraction }) || (/[1-9]/.test(fraction) ? -1 : 0);
  return state.order || (/[1-9]/.test(fraction.slice(state.places)) ? -1 : 0);
}

interface Remainder {
  readonly value: number;
  /** Digits after the point; -1 before it. */
  readonly places: number;
}

/**
 * The multiples of a number, without more decimal places than it has.
 * @throws NibbleError `invalid_argument` for a number with too many digits
 */
export function multipleDfa(multiple: number): Dfa {
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
      const point = { set: POINT, state: { value, places: 0 } };
      // Further places could only be zeros, so they are left out.
      if (places === fraction.length) return [];
      const edges = DIGITS.map(({ digit, set }) => ({
        set,
        state: { value: (value * 10 + digit) % modulus, places: places < 0 ? -1 : places + 1 },
      }));
      return places < 0 ? [point, ...edges] : edges;
    },
  });
}

/** The digits of a number of 0 or more as its shortest spelling has them, without an exponent. */
function decimal(value: number): Decimal {
  const [digits, exponent = "0"] = String(value).split("e");
  const [whole, fraction = ""] = digits!.split(".");
  const shift = Number(exponent);
  if (Math.abs(shift) > 64) {
    throw grammarError(`schema: expected bounds and multiples from 1e-64 to 1e64, got ${value}`);
  }
  if (shift >= 0) {
    return { whole: whole! + fraction.padEnd(shift, "0").slice(0, shift), fraction: fraction.slice(shift) };
  }
  return { whole: "0", fraction: whole!.padStart(-shift, "0") + fraction };
}
