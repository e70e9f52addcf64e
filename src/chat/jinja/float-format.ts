/**
 * Formats numbers with a precision, as Python's `f`, `e` and `g` do, and integers in other bases.
 * @module
 */
import { printExponent, roundScaled } from "./numbers.ts";

/**
 * Formats a float that is not negative by `f`, `e`, `g` or a capital of these. The alternate form (`#`) keeps the point and
 * the zeros of `g`. Without a type it is `g` with a digit after the point, and with an exponent one digit earlier.
 */
export function formatFloat(value: number, type: string, precision: number, alternate = false): string {
  const upper = type !== type.toLowerCase();
  const text = Number.isFinite(value)
    ? digits(value, type.toLowerCase(), precision, alternate)
    : Number.isNaN(value)
      ? "nan"
      : "inf";
  return upper ? text.toUpperCase() : text;
}

function digits(value: number, type: string, precision: number, alternate: boolean): string {
  if (type === "f") return fixed(value, precision, alternate);
  if (type === "e") return scientific(value, precision, alternate);
  const significant = precision || 1;
  const [mantissa, power] = rounded(value, significant - 1);
  const small = power >= -4 && power < (type === "g" ? significant : significant - 1);
  const text = small
    ? fixed(value, significant - 1 - power, alternate)
    : withPoint(mantissa, significant - 1, alternate);
  const trimmed = alternate || !text.includes(".") ? text : text.replace(/0+$/, "").replace(/\.$/, "");
  if (!small) return `${trimmed}e${printExponent(power)}`;
  return type === "g" || trimmed.includes(".") ? trimmed : `${trimmed}.0`;
}

function fixed(value: number, places: number, alternate: boolean): string {
  return withPoint(String(roundScaled(value, places)), places, alternate);
}

function scientific(value: number, places: number, alternate: boolean): string {
  const [mantissa, power] = rounded(value, places);
  return `${withPoint(mantissa, places, alternate)}e${printExponent(power)}`;
}

/** `places` + 1 significant digits, and the power of ten of the first one. */
function rounded(value: number, places: number): readonly [string, number] {
  if (value === 0) return ["0".repeat(places + 1), 0];
  let power = Number(value.toExponential().split("e")[1]);
  let mantissa = String(roundScaled(value, places - power));
  if (mantissa.length > places + 1) mantissa = String(roundScaled(value, places - ++power));
  return [mantissa, power];
}

function withPoint(text: string, places: number, alternate: boolean): string {
  const padded = text.padStart(places + 1, "0");
  const whole = padded.slice(0, padded.length - places);
  return places > 0 ? `${whole}.${padded.slice(-places)}` : alternate ? `${whole}.` : whole;
}

/** Formats an integer that is not negative by a type of `b`, `o`, `x` or `X`. */
export function inBase(value: bigint, type: string): string {
  const text = value.toString(type === "b" ? 2 : type === "o" ? 8 : 16);
  return type === "X" ? text.toUpperCase() : text;
}
