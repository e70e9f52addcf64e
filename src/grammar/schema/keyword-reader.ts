/**
 * Reads the values of keywords with the types that JSON Schema gives them.
 * @module
 */
import type { NibbleError } from "../../base/errors.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES } from "../limits.ts";
import { isSchema, type Range, type RawSchema } from "./node.ts";

export class KeywordReader {
  /** The keywords of the schema. */
  readonly fields: ReadonlyMap<string, unknown>;
  readonly #where: string;

  constructor(raw: RawSchema, where: string) {
    const entries = typeof raw === "boolean" ? [] : Object.entries(raw);
    this.fields = new Map(entries.filter(([, value]) => value !== undefined));
    this.#where = where;
  }

  boolean(key: string): boolean {
    const value = this.fields.get(key) ?? false;
    if (typeof value !== "boolean") throw this.error(key, "true or false", value);
    return value;
  }

  text(key: string): string | undefined {
    const value = this.fields.get(key);
    if (value !== undefined && typeof value !== "string") throw this.error(key, "a string", value);
    return value;
  }

  number(key: string): number | undefined {
    const value = this.fields.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && (key !== "multipleOf" || value > 0)) return value;
    throw this.error(key, key === "multipleOf" ? "a number above 0" : "a number", value);
  }

  /** A lower and an upper limit on a count. */
  range(low: string, high: string, otherwise = 0): Range {
    const read = (key: string, missing: number) => {
      const value = this.fields.get(key) ?? missing;
      if (typeof value === "number" && value >= 0 && (Number.isInteger(value) || value === missing)) return value;
      throw this.error(key, "an integer from 0", value);
    };
    return { min: read(low, otherwise), max: read(high, Number.POSITIVE_INFINITY) };
  }

  /** An array of names. */
  names(key: string): readonly string[] {
    return this.asNames(key, this.fields.get(key) ?? []);
  }

  asNames(key: string, names: unknown): readonly string[] {
    if (!Array.isArray(names)) throw this.error(key, "an array of strings", names);
    const wrong = names.findIndex((name) => typeof name !== "string");
    if (wrong >= 0) throw this.error(key, "an array of strings", names[wrong]);
    checkLimit(`schema: names in ${key}`, names.length, MAX_ALTERNATIVES);
    return names as string[];
  }

  schema(key: string): RawSchema | undefined {
    const raw = this.fields.get(key);
    return raw === undefined ? undefined : this.asSchema(key, raw);
  }

  schemas(key: string): readonly RawSchema[] | undefined {
    const list = this.fields.get(key);
    if (list === undefined) return undefined;
    if (!Array.isArray(list)) throw this.error(key, "an array of schemas", list);
    checkLimit(`schema: schemas in ${key}`, list.length, MAX_ALTERNATIVES);
    return list.map((raw) => this.asSchema(key, raw));
  }

  /** An object whose values are schemas. */
  schemasByName(key: string): [string, RawSchema][] {
    return this.entries(key).map(([name, raw]) => [name, this.asSchema(key, raw)]);
  }

  /** The entries of an object. */
  entries(key: string): [string, unknown][] {
    const object = this.fields.get(key) ?? {};
    if (typeof object !== "object" || object === null || Array.isArray(object)) {
      throw this.error(key, "an object", object);
    }
    const entries = Object.entries(object);
    checkLimit(`schema: names in ${key}`, entries.length, MAX_ALTERNATIVES);
    return entries;
  }

  asSchema(key: string, raw: unknown): RawSchema {
    if (isSchema(raw)) return raw;
    throw this.error(key, "a schema (an object, true or false)", raw);
  }

  /** @returns the error for a keyword with a wrong value */
  error(key: string, expected: string, got: unknown): NibbleError {
    const text =
      typeof got === "object" && got !== null ? (Array.isArray(got) ? "an array" : "an object") : String(got);
    return grammarError(`schema: ${key} at ${this.#where}: expected ${expected}, got ${text.slice(0, 64)}`);
  }
}
