/**
 * Typed access to the values of an untrusted file: GGUF metadata and JSON objects. A key whose value is null counts as
 * missing.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** Metadata or a JSON object. */
export type Values = ReadonlyMap<string, unknown>;

/** The requirements on a number. */
export interface NumberOptions {
  /** The value of a missing key. Without a default the key is required. */
  default?: number;
  /** Whether it must be a whole number that a double holds exactly. */
  integer?: boolean;
  /** Smallest allowed value. */
  min?: number;
  /** Largest allowed value. */
  max?: number;
}

/**
 * A finite number.
 * @throws NibbleError `missing_key`, `bad_type`, `bad_value` (not finite, not whole, out of range)
 */
export function getNumber(values: Values, key: string, options: NumberOptions = {}): number {
  const value = values.get(key) ?? options.default;
  if (value === undefined) throw missing(key, "a number");
  if (typeof value !== "number") throw wrongType(key, "a number", value);
  return checkNumber(key, value, options);
}

const MAX_FLOAT = 2 ** 128 - 2 ** 104;

/** A number rounded to f32, which is how a GGUF file stores it. @throws NibbleError as `getNumber` */
export function getFloat(values: Values, key: string, options: Pick<NumberOptions, "default" | "min"> = {}): number {
  return Math.fround(getNumber(values, key, { ...options, max: MAX_FLOAT }));
}

/**
 * One number per layer. A scalar stands for all layers.
 * @throws NibbleError as `getNumber`; `bad_value` for an array of another length
 */
export function getPerLayer(values: Values, key: string, layers: number, options: NumberOptions = {}): number[] {
  const value = values.get(key);
  if (!isNumbers(value)) return new Array<number>(layers).fill(getNumber(values, key, options));
  if (value.length !== layers) {
    throw new NibbleError(
      "bad_value",
      `${key}: expected one number, or ${layers} (one per layer), got ${value.length}`,
    );
  }
  return Array.from(value, (number) => checkNumber(key, number, options));
}

/**
 * One boolean per layer. A scalar stands for all layers; the numbers 0 and 1 count as booleans.
 * @throws NibbleError `missing_key`, `bad_type`, `bad_value`
 */
export function getBooleanPerLayer(
  values: Values,
  key: string,
  layers: number,
  options: { default?: boolean } = {},
): boolean[] {
  const value = values.get(key) ?? options.default;
  if (typeof value === "boolean") return new Array<boolean>(layers).fill(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "boolean")) {
    if (value.length === layers) return [...value];
    throw new NibbleError("bad_value", `${key}: expected ${layers} booleans (one per layer), got ${value.length}`);
  }
  if (value === undefined) throw missing(key, "a boolean");
  return getPerLayer(values, key, layers, { integer: true, min: 0, max: 1 }).map(Boolean);
}

/** @throws NibbleError `missing_key`, `bad_type` */
export function getString(values: Values, key: string, options: { default?: string } = {}): string {
  const value = values.get(key) ?? options.default;
  if (value === undefined) throw missing(key, "a string");
  if (typeof value !== "string") throw wrongType(key, "a string", value);
  return value;
}

/** @throws NibbleError `missing_key`, `bad_type` */
export function getBoolean(values: Values, key: string, options: { default?: boolean } = {}): boolean {
  const value = values.get(key) ?? options.default;
  if (value === undefined) throw missing(key, "a boolean");
  if (typeof value !== "boolean") throw wrongType(key, "a boolean", value);
  return value;
}

/** An array of strings, or undefined if the key is missing. @throws NibbleError `bad_type` */
export function getStrings(values: Values, key: string): readonly string[] | undefined {
  const value = values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrongType(key, "an array of strings", value);
}

/** An array of numbers, or undefined if the key is missing. @throws NibbleError `bad_type` */
export function getNumbers(values: Values, key: string): ArrayLike<number> | undefined {
  const value = values.get(key) ?? undefined;
  if (value === undefined) return undefined;
  if (isNumbers(value)) return value;
  throw wrongType(key, "an array of numbers", value);
}

function isNumbers(value: unknown): value is ArrayLike<number> & Iterable<number> {
  if (Array.isArray(value)) return value.every((item) => typeof item === "number");
  return ArrayBuffer.isView(value);
}

function checkNumber(key: string, value: number, { integer, min, max }: NumberOptions): number {
  if (!Number.isFinite(value)) throw new NibbleError("bad_value", `${key}: expected a finite number, got ${value}`);
  if (integer && !Number.isSafeInteger(value)) {
    throw new NibbleError("bad_value", `${key}: expected a whole number, got ${value}`);
  }
  if (min !== undefined && value < min) {
    throw new NibbleError("bad_value", `${key}: expected at least ${min}, got ${value}`);
  }
  if (max !== undefined && value > max) {
    throw new NibbleError("bad_value", `${key}: expected at most ${max}, got ${value}`);
  }
  return value;
}

function missing(key: string, expected: string): NibbleError {
  return new NibbleError("missing_key", `${key} is missing; it must be ${expected}`);
}

function wrongType(key: string, expected: string, value: unknown): NibbleError {
  const got = value === null ? "null" : ArrayBuffer.isView(value) || Array.isArray(value) ? "an array" : typeof value;
  return new NibbleError("bad_type", `${key}: expected ${expected}, got ${got}`);
}
