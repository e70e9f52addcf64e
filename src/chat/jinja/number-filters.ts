/**
 * Filters of numbers.
 * @module
 */
import { asCount, asText } from "./arguments.ts";
import { fail } from "./errors.ts";
import { attributeGetter, type Filter, type FilterContext, type FilterTable, type Given } from "./filter-context.ts";
import { formatFloat } from "./float-format.ts";
import { iterate } from "./iterate.ts";
import { divideRounded, numberOf, readFloat, readInteger, roundScaled, trueDivide, truncate } from "./numbers.ts";
import { binary } from "./operators.ts";
import { integerOf, isTrue, textOf, typeName, Undefined, type Value } from "./values.ts";

export const NUMBER_FILTERS: FilterTable = new Map<string, Filter>([
  ["abs", ["", absolute]],
  ["filesizeformat", ["binary?", fileSize]],
  ["float", ["default?", toFloat]],
  ["int", ["default? base?", toInteger]],
  ["round", ["precision? method?", round]],
  ["sum", ["attribute? start?", sum]],
]);

function absolute(_context: FilterContext, value: Value): Value {
  const integer = integerOf(value);
  if (integer !== undefined) return integer < 0n ? -integer : integer;
  return typeof value === "number" ? Math.abs(value) : fail(`bad operand type for abs: '${typeName(value)}'`);
}

/** `float(value)`; undefined where Python raises a TypeError or ValueError. */
function floatOf(value: Value): number | undefined {
  if (value instanceof Undefined) value.fail();
  const text = textOf(value);
  return text === undefined ? numberOf(value) : readFloat(text);
}

function toFloat(_context: FilterContext, value: Value, [otherwise]: Given): Value {
  return floatOf(value) ?? otherwise ?? 0;
}

function toInteger(_context: FilterContext, value: Value, [otherwise, base]: Given): Value {
  const integer = integerOf(value);
  if (integer !== undefined) return integer;
  if (typeof value === "number" && !Number.isNaN(value)) return truncate(value);
  const text = textOf(value);
  const radix = asCount(base, 10);
  const read = text === undefined || (radix !== 0 && (radix < 2 || radix > 36)) ? undefined : readInteger(text, radix);
  const float = read === undefined ? floatOf(value) : undefined;
  return read ?? (float !== undefined && Number.isFinite(float) ? truncate(float) : (otherwise ?? 0n));
}

function round({ budget }: FilterContext, value: Value, [precision, method]: Given): Value {
  const how = method === undefined ? "common" : asText(method);
  if (!["common", "ceil", "floor"].includes(how)) fail("round: the method must be common, ceil or floor");
  const places = asCount(precision, 0);
  if (Math.abs(places) > 400) fail("round: a precision beyond 400 digits is not supported");
  const integer = integerOf(value);
  if (integer === undefined && typeof value !== "number") fail(`'${typeName(value)}' cannot be rounded`);
  if (how !== "common") {
    const scale: Value = binary("**", 10n, BigInt(places), budget);
    const scaled = binary("*", value, scale, budget);
    const whole =
      typeof scaled === "number"
        ? BigInt(how === "ceil" ? Math.ceil(finite(scaled)) : Math.floor(finite(scaled)))
        : scaled;
    return binary("/", whole, scale, budget);
  }
  if (integer === undefined) return Number.isFinite(value) ? roundFloat(value as number, places) : (value as number);
  if (places >= 0) return integer;
  const unit = 10n ** BigInt(-places);
  return divideRounded(integer, unit) * unit;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number(truncate(value));
}

function roundFloat(value: number, places: number): number {
  const rounded = roundScaled(value, places);
  const scale = 10n ** BigInt(Math.abs(places));
  const result = places > 0 ? trueDivide(rounded, scale) : Number(rounded * scale);
  return result === 0 && (value < 0 || Object.is(value, -0)) ? -0 : result;
}

function sum({ budget }: FilterContext, value: Value, [path, start]: Given): Value {
  const get = attributeGetter(path, budget);
  let total: Value = start === undefined ? 0n : start;
  if (textOf(total) !== undefined) fail("sum cannot add texts: use join");
  for (const item of iterate(value, budget)) total = binary("+", total, get(item), budget);
  return total;
}

function fileSize(_context: FilterContext, value: Value, [binaryPrefixes]: Given): Value {
  const bytes = floatOf(value) ?? fail(`'${typeName(value)}' is no size`);
  const binaries = binaryPrefixes !== undefined && isTrue(binaryPrefixes);
  const base = binaries ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${truncate(bytes)} Bytes`;
  const prefixes = binaries ? "KMGTPEZY" : "kMGTPEZY";
  let power = 1;
  while (power < prefixes.length && bytes >= base ** (power + 1)) power++;
  const size = (base * bytes) / base ** (power + 1);
  return `${formatFloat(size, "f", 1)} ${prefixes[power - 1]}${binaries ? "iB" : "B"}`;
}
