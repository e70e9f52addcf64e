/**
 * Computes, reads and writes numbers as Python does. Rounding is exact, and a half is rounded to even.
 * @module
 */
import type { Budget } from "./budget.ts";
import { MAX_DIGITS } from "./budget.ts";
import { fail } from "./errors.ts";
import { integerOf, type Value } from "./values.ts";

/** `repr(float)`: the shortest digits that give the same float, with an exponent below 1e-4 and from 1e16 on. */
export function printFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${sign}${mantissa}e${printExponent(power)}`;
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  return `${sign}${whole}.${digits.slice(power + 1) || "0"}`;
}

/** An exponent with its sign and at least two digits. */
export function printExponent(power: number): string {
  return `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** `str(int)`. @throws JinjaError for more digits than CPython prints */
export function printInteger(value: bigint, budget: Budget): string {
  budget.integer(bitsOf(value));
  const text = String(value);
  if (text.length - (value < 0n ? 1 : 0) > MAX_DIGITS) fail(`an integer has more than ${MAX_DIGITS} digits`);
  return text;
}

/** The number of bits, rounded up to a multiple of four. */
export function bitsOf(value: bigint): number {
  return value === 0n ? 0 : 4 * (value < 0n ? -value : value).toString(16).length;
}

const view = new DataView(new ArrayBuffer(8));

/** A float as numerator and denominator, exactly. */
export function ratioOf(value: number): readonly [bigint, bigint] {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = (bits & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n);
  const shift = (exponent || 1) - 1075;
  const signed = bits >> 63n ? -fraction : fraction;
  return shift >= 0 ? [signed << BigInt(shift), 1n] : [signed, 1n << BigInt(-shift)];
}

/** value * 10^places to the nearest integer, half to even. */
export function roundScaled(value: number, places: number): bigint {
  const [numerator, denominator] = ratioOf(value);
  const scale = 10n ** BigInt(Math.abs(places));
  return places >= 0 ? divideRounded(numerator * scale, denominator) : divideRounded(numerator, denominator * scale);
}

/** The quotient to the nearest integer, half to even, for a positive divisor. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = floorDivide(dividend, divisor);
  const twice = 2n * (dividend - quotient * divisor);
  return twice > divisor || (twice === divisor && quotient & 1n) ? quotient + 1n : quotient;
}

/** `int // int` */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** `int / int`, rounded once. */
export function trueDivide(a: bigint, b: bigint): number {
  const [exactA, exactB] = [Number(a), Number(b)];
  if (Number.isSafeInteger(exactA) && Number.isSafeInteger(exactB)) return exactA / exactB;
  const shift = Math.max(0, 66 - (bitsOf(a) - bitsOf(b)));
  const dividend = a << BigInt(shift);
  const quotient = dividend / b;
  const sticky = dividend % b === 0n ? 0n : quotient < 0n ? -1n : 1n;
  const result = Number(2n * quotient + sticky) / 2 / 2 ** shift;
  if (!Number.isFinite(result)) fail("integer division result too large for a float");
  return result;
}

/** Python's `divmod` of floats. */
export function divmodFloat(a: number, b: number): readonly [quotient: number, remainder: number] {
  let mod = a % b;
  let div = (a - mod) / b;
  if (mod !== 0) {
    if (b < 0 !== mod < 0) {
      mod += b;
      div--;
    }
  } else mod = b < 0 ? -0 : 0;
  if (div === 0) return [Object.is(a / b, -0) || a / b < 0 ? -0 : 0, mod];
  const floor = Math.floor(div);
  return [div - floor > 0.5 ? floor + 1 : floor, mod];
}

const FLOAT_TEXT =
  /^[+-]?(?:(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|inf(?:inity)?|nan)$/i;

/** `float(text)`; undefined where Python raises ValueError. */
export function readFloat(text: string): number | undefined {
  const trimmed = text.trim();
  if (!FLOAT_TEXT.test(trimmed)) return undefined;
  const word = /inf|nan/i.exec(trimmed)?.[0].toLowerCase();
  if (word === "nan") return Number.NaN;
  if (word === "inf") return trimmed.startsWith("-") ? -Infinity : Infinity;
  return Number(trimmed.replaceAll("_", ""));
}

const PREFIXES: ReadonlyMap<string, number> = new Map([
  ["0b", 2],
  ["0o", 8],
  ["0x", 16],
]);

/** `int(text, base)`; undefined where Python raises ValueError. */
export function readInteger(text: string, base: number): bigint | undefined {
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text.trim().toLowerCase())!;
  const prefixed = PREFIXES.get(rest!.slice(0, 2));
  const radix = base === 0 ? (prefixed ?? 10) : base;
  let digits = prefixed === radix ? rest!.slice(2).replace(/^_/, "") : rest!;
  if (!/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(digits)) return undefined;
  digits = digits.replaceAll("_", "");
  if (base === 0 && prefixed === undefined && /^0+[^0]/.test(digits)) return undefined;
  if (digits.length > MAX_DIGITS) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const number = Number.parseInt(digit, 36);
    if (number >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(number);
  }
  return sign === "-" ? -value : value;
}

/** `int(float)`. @throws JinjaError for infinity and NaN */
export function truncate(value: number): bigint {
  if (!Number.isFinite(value)) fail(`cannot convert float ${printFloat(value)} to integer`);
  return BigInt(Math.trunc(value));
}

/** A number as a float; undefined for other values. */
export function numberOf(value: Value): number | undefined {
  const integer = integerOf(value);
  if (integer === undefined) return typeof value === "number" ? value : undefined;
  const float = Number(integer);
  return Number.isFinite(float) ? float : fail("int too large to convert to float");
}
