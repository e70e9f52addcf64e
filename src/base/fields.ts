/**
 * Reads the fields of an untrusted request or options object. Every error names the field.
 * @module
 */
import { type ErrorCode, NibbleError } from "./errors.ts";
import { type FieldTable, nearestName } from "./field-table.ts";

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** An exclusive lower bound: the value must be greater. */
  readonly above?: number;
  readonly integer?: boolean;
}

/** The error for a wrong value, or, where `got` is undefined, for a required field that is missing. */
export function invalid(
  param: string,
  expected: string,
  got: unknown,
  code: ErrorCode = "invalid_request",
): NibbleError {
  const message =
    got === undefined
      ? `${param}: a value is required; it must be ${expected}`
      : `${param}: expected ${expected}, got ${show(got)}`;
  return new NibbleError(code, message, { param });
}

/** The error for two fields that cannot be used together; `why` is a clause that says what each would decide. */
export function conflict(param: string, other: string, why: string, code: ErrorCode = "invalid_request"): NibbleError {
  return new NibbleError(code, `${param}: it cannot be used together with ${other}, because ${why}`, { param });
}

/** The error for a field that needs another one; `other` is that field, with its value where one is needed. */
export function required(param: string, other: string, code: ErrorCode = "invalid_request"): NibbleError {
  return new NibbleError(code, `${param}: this field requires ${other}`, { param });
}

/** The error for a field or value that we know and do not support; `instead` is a clause that says what to do. */
export function unsupported(
  param: string,
  what: string,
  instead: string,
  code: ErrorCode = "invalid_request",
): NibbleError {
  return new NibbleError(code, `${param}: ${what} is not supported; ${instead}`, { param });
}

export interface FieldRules {
  /** The code of errors (default `invalid_request`). */
  readonly code?: ErrorCode;
  /** Receives the error for a field that nobody knows, which is then ignored. Default: the error is thrown. */
  readonly onUnknown?: ((error: NibbleError) => void) | undefined;
}

/** Most fields of an object. */
const MAX_FIELDS = 256;
/**
 * Most unknown fields of a request for which the name that was meant is looked for, which takes some 10 us each. A body of
 * 1 MB can have 60,000 of them in its messages.
 */
const MAX_HINTS = 100;
/** How many were looked for by now, by the rules, which all objects of a request share. */
const hints = new WeakMap<FieldRules, number>();

/** The own fields of a plain object. `null` counts as absent, as in OpenAI's API. */
export class Fields {
  /** The rules of this object, which hold for the objects nested in it too. */
  readonly rules: FieldRules;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #prefix: string;
  readonly #code: ErrorCode;

  /**
   * @param table the fields that the object may have, or just the names of those that are honoured
   * @param name where the object stands, such as `messages[0]`; none for the whole body or options
   * @throws NibbleError with the rules' code, if it is not an object, or has unsupported or unknown fields
   */
  constructor(
    value: unknown,
    table: FieldTable | readonly string[],
    name = "",
    rules: ErrorCode | FieldRules = "invalid_request",
  ) {
    this.rules = typeof rules === "string" ? { code: rules } : rules;
    this.#code = this.rules.code ?? "invalid_request";
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw invalid(name || (this.#code === "invalid_request" ? "body" : "options"), "an object", value, this.#code);
    }
    const keys = Object.keys(value);
    if (keys.length > MAX_FIELDS)
      throw invalid(name || "body", `an object of at most ${MAX_FIELDS} fields`, `one of ${keys.length}`, this.#code);
    this.#values = new Map(Object.entries(value).filter(([, field]) => field !== undefined && field !== null));
    this.#prefix = name ? `${name}.` : "";
    this.#check("known" in table ? table : { known: table });
  }

  #check({ known, unused = [], unsupported: refused = {} }: FieldTable): void {
    for (const [key, value] of this.#values) {
      if (known.includes(key) || unused.includes(key)) continue;
      const found = Object.hasOwn(refused, key) ? refused[key] : undefined;
      if (found?.neutral?.(value, this.#values)) continue;
      if (found) throw unsupported(this.param(key), "this field", found.instead, this.#code);
      const error = this.#unknown(key, () => [...known, ...unused, ...Object.keys(refused)]);
      if (!this.rules.onUnknown) throw error;
      this.rules.onUnknown(error);
    }
  }

  #unknown(key: string, names: () => readonly string[]): NibbleError {
    const hinted = hints.get(this.rules) ?? 0;
    hints.set(this.rules, hinted + 1);
    const near = hinted < MAX_HINTS ? nearestName(key, names()) : undefined;
    const param = this.param(key);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return new NibbleError(this.#code, `${param}: unknown field${hint}`, { param });
  }

  /** The fields of an object that is nested in this one. */
  nested(value: unknown, table: FieldTable | readonly string[], name: string): Fields {
    return new Fields(value, table, this.param(name), this.rules);
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  param(key: string): string {
    return this.#prefix + key;
  }

  /** The error for one of the fields. */
  invalid(key: string, expected: string, got: unknown): NibbleError {
    return invalid(this.param(key), expected, got, this.#code);
  }

  number(key: string, range: Range): number | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : checkNumber(this.param(key), value, range, this.#code);
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.invalid(key, "true or false", value);
  }

  string(key: string, maxLength: number): string | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "string" && value.length <= maxLength) return value;
    const limit = Number.isFinite(maxLength) ? ` of at most ${maxLength} characters` : "";
    throw this.invalid(key, `a string${limit}`, value);
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    const value = this.get(key);
    const found = values.find((candidate) => candidate === value);
    if (value === undefined || found !== undefined) return found;
    throw this.invalid(key, values.map((candidate) => `"${candidate}"`).join(" or "), value);
  }

  array(key: string, maxLength: number): readonly unknown[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    // A hole becomes an element, which the check of elements refuses.
    if (Array.isArray(value) && value.length <= maxLength) return Array.from(value as unknown[]);
    throw this.invalid(key, `an array of at most ${maxLength} elements`, value);
  }
}

export function fits(value: unknown, { min, max, above, integer }: Range): value is number {
  return (
    typeof value === "number" &&
    (integer ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= (min ?? -Infinity) &&
    value <= (max ?? Infinity) &&
    value > (above ?? -Infinity)
  );
}

export function checkNumber(param: string, value: unknown, range: Range, code?: ErrorCode): number {
  if (fits(value, range)) return value;
  const { min, max, above, integer } = range;
  const bounds = [
    above === undefined ? (min === undefined ? "" : `from ${min}`) : `above ${above}`,
    max === undefined ? "" : `to ${max}`,
  ].filter(Boolean);
  throw invalid(param, [integer ? "an integer" : "a number", ...bounds].join(" "), value, code);
}

/**
 * Copies token ids from an array or a typed array. An object that only looks like one (`{ length: 1e9 }`) is refused.
 * @throws NibbleError `invalid_argument` that names `param`
 */
export function checkIds(param: string, value: unknown, vocabSize: number): number[] {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isList) throw invalid(param, "an array of token ids", value, "invalid_argument");
  const ids = value as ArrayLike<unknown>;
  const checked: number[] = [];
  // Each is checked before the next one is copied: an array of holes has a length of its caller's choice.
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= vocabSize)
      throw invalid(param, `token ids from 0 to ${vocabSize - 1}`, id ?? null, "invalid_argument");
    checked.push(id as number);
  }
  return checked;
}

export function checkSignal(fields: Fields): AbortSignal | undefined {
  const value = fields.get("signal");
  if (value === undefined) return undefined;
  const signal = value as Partial<AbortSignal>;
  if (typeof signal.aborted === "boolean" && typeof signal.addEventListener === "function") return value as AbortSignal;
  throw fields.invalid("signal", "an AbortSignal", value);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
