/**
 * A JSON Schema after reading: its keywords with checked values.
 * @module
 */
import type { Dfa } from "../regular/dfa.ts";

/** A schema as it came: an object, or true or false. */
export type RawSchema = object | boolean;

/** The types of JSON. The type "integer" is a number with `integer` set. */
export type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";

export const JSON_TYPES: readonly JsonType[] = ["null", "boolean", "number", "string", "array", "object"];

export interface SchemaNode {
  readonly id: number;
  /** The schema as it came. */
  readonly raw: RawSchema;
  /** The place in the schema as a JSON pointer, for errors. */
  readonly where: string;
  readonly types: ReadonlySet<JsonType>;
  readonly integer: boolean;
  /** Whether `type`, `enum` or `const` says which types are allowed. */
  readonly isTyped: boolean;
  /** The types that the other keywords are about. */
  readonly impliedTypes: readonly JsonType[];
  /** The values of `enum` and `const` by their `jsonText`. */
  readonly values: ReadonlyMap<string, unknown> | undefined;
  /** Values that are not allowed (`not` around `enum` or `const`), by their `jsonText`. */
  readonly excluded: ReadonlyMap<string, unknown>;
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
  readonly multipleOf: number | undefined;
  /** Whether integers are not allowed (`not` around `multipleOf: 1`). */
  readonly fractional: boolean;
  /** A string must be in all of these languages: `pattern` and `format`. */
  readonly patterns: readonly Dfa[];
  /** `minLength` and `maxLength`. */
  readonly length: Range;
  readonly prefixItems: readonly RawSchema[];
  /** The schema of the items after the prefix. */
  readonly items: RawSchema | undefined;
  readonly unevaluatedItems: RawSchema | undefined;
  /** `minItems` and `maxItems`. */
  readonly count: Range;
  readonly uniqueItems: boolean;
  readonly contains: Contains | undefined;
  readonly properties: ReadonlyMap<string, RawSchema>;
  /** Whether there is a `properties` that allows something. */
  readonly listsProperties: boolean;
  readonly patternProperties: readonly (readonly [keys: Dfa, schema: RawSchema])[];
  readonly additionalProperties: RawSchema | undefined;
  readonly unevaluatedProperties: RawSchema | undefined;
  readonly propertyNames: RawSchema | undefined;
  readonly required: readonly string[];
  /** `minProperties` and `maxProperties`. */
  readonly size: Range;
  readonly allOf: readonly RawSchema[];
  /** `$ref`, and the references of other drafts. */
  readonly refs: readonly string[];
  /** A schema that must not hold. */
  readonly not: RawSchema | undefined;
  /** `anyOf`, `oneOf`, and what is the same as `anyOf`: `if` and `dependent*`. */
  readonly alternatives: readonly Alternatives[];
  /** `$ref`, `allOf`, `anyOf`, `oneOf` and `properties` in the order in which they are written. */
  readonly written: readonly string[];
}

/** From `min` to `max` items must satisfy a schema. */
export interface Contains extends Range {
  readonly schema: RawSchema;
  /** `{ not: schema }`. */
  readonly contrary: RawSchema;
}

/** A limit on a number. */
export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Schemas of which one must hold. */
export interface Alternatives {
  /** `anyOf`, `oneOf`, `if`, or `dependent` for `dependentRequired` and the like. */
  readonly keyword: string;
  readonly schemas: readonly RawSchema[];
  /** Whether exactly one must hold (`oneOf`). */
  readonly exclusive: boolean;
}

/** The intersection of several ranges. */
export function commonRange(ranges: readonly Range[]): Range {
  return { min: Math.max(0, ...ranges.map(({ min }) => min)), max: Math.min(...ranges.map(({ max }) => max)) };
}

export function isSchema(raw: unknown): raw is RawSchema {
  return typeof raw === "boolean" || (typeof raw === "object" && raw !== null && !Array.isArray(raw));
}

/**
 * A JSON text that is the same for equal values: 1 and 1.0, or objects with their keys in another order. The depth of the
 * value must be limited.
 */
export function jsonText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${jsonText(field)}`);
  return `{${fields.sort().join()}}`;
}
