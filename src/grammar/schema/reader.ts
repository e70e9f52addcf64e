/**
 * Reads and checks one JSON Schema (draft 2020-12, and what drafts 6 and 7 wrote otherwise). Every keyword is supported,
 * an annotation, or refused by name.
 * @module
 */
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_DEPTH, spend } from "../limits.ts";
import type { Dfa } from "../regular/dfa.ts";
import { findingDfa } from "../regular/operations.ts";
import { formatDfa } from "./formats.ts";
import {
  type Alternatives,
  type Bound,
  isSchema,
  JSON_TYPES,
  type JsonType,
  jsonText,
  type Range,
  type RawSchema,
  type SchemaNode,
} from "./node.ts";

const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...["$schema", "$comment", "$defs", "definitions", "title", "description", "default", "example", "examples"],
  // From OpenAPI: the schemas that it maps to stand in `oneOf`, too.
  "discriminator",
  ...["deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "$anchor"],
]);
const KEYWORDS: ReadonlySet<string> = new Set([
  ...["$id", "$ref", "type", "nullable", "enum", "const", "allOf", "anyOf", "oneOf"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "pattern", "format"],
  ...["prefixItems", "items", "additionalItems", "minItems", "maxItems", "uniqueItems"],
  ...["properties", "patternProperties", "additionalProperties", "propertyNames", "required"],
  ...["minProperties", "maxProperties"],
]);

/** What reading one value of `enum` costs, in steps. */
const VALUE_COST = 4;

const JSON_VALUES: readonly string[] = ["object", "string", "number", "boolean"];

/** @throws NibbleError `invalid_argument` that names the keyword */
export function readSchemaNode(raw: RawSchema, id: number, where: string): SchemaNode {
  return new SchemaReader(raw, id, where).read();
}

class SchemaReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #raw: RawSchema;
  readonly #id: number;
  readonly #where: string;

  constructor(raw: RawSchema, id: number, where: string) {
    this.#raw = raw;
    this.#id = id;
    this.#where = where;
    this.#fields = new Map(
      typeof raw === "boolean" ? [] : Object.entries(raw).filter(([, value]) => value !== undefined),
    );
    for (const key of this.#fields.keys()) {
      if (KEYWORDS.has(key) || ANNOTATIONS.has(key) || key.startsWith("x-")) continue;
      throw grammarError(`schema: the keyword ${JSON.stringify(key.slice(0, 64))} at ${where} is not supported`);
    }
    if (this.#fields.has("$id") && id !== 0) throw this.#error("$id", "no $id below the root", this.#fields.get("$id"));
  }

  read(): SchemaNode {
    const list = this.#fields.get("items");
    const oldPrefix = Array.isArray(list);
    const unique = this.#fields.get("uniqueItems") ?? false;
    const count = this.#range("minItems", "maxItems");
    if (unique !== false && count.max > 1) {
      throw grammarError(`schema: uniqueItems at ${this.#where} is not supported`);
    }
    const ref = this.#fields.get("$ref");
    if (ref !== undefined && typeof ref !== "string") throw this.#error("$ref", "a string", ref);
    return {
      id: this.#id,
      where: this.#where,
      ...this.#types(),
      values: this.#values(),
      ...this.#bounds(),
      multipleOf: this.#number("multipleOf"),
      patterns: this.#patterns(),
      length: this.#range("minLength", "maxLength"),
      prefixItems: this.#schemas(oldPrefix ? "items" : "prefixItems") ?? [],
      items: this.#schema(oldPrefix ? "additionalItems" : "items"),
      count,
      properties: new Map(this.#properties("properties")),
      patternProperties: this.#properties("patternProperties").map(([pattern, schema]) => [
        findingDfa(pattern),
        schema,
      ]),
      additionalProperties: this.#schema("additionalProperties"),
      propertyNames: this.#schema("propertyNames"),
      required: this.#required(),
      size: this.#range("minProperties", "maxProperties"),
      allOf: this.#schemas("allOf") ?? [],
      ref,
      alternatives: this.#alternatives(),
    };
  }

  #alternatives(): Alternatives[] {
    return ["anyOf", "oneOf"].flatMap((key) => {
      const schemas = this.#schemas(key);
      return schemas ? [{ schemas, exclusive: key === "oneOf" }] : [];
    });
  }

  #types(): { types: ReadonlySet<JsonType>; integer: boolean } {
    if (this.#raw === false) return { types: new Set(), integer: false };
    const given = this.#fields.get("type");
    if (given === undefined) return { types: new Set(JSON_TYPES), integer: false };
    const names: unknown[] = Array.isArray(given) ? given : [given];
    const types = new Set<JsonType>();
    for (const name of names) {
      const type = name === "integer" ? "number" : JSON_TYPES.find((known) => known === name);
      if (!type) throw this.#error("type", `${JSON_TYPES.join(", ")}, integer, or an array of them`, name);
      types.add(type);
    }
    const nullable = this.#fields.get("nullable") ?? false;
    if (typeof nullable !== "boolean") throw this.#error("nullable", "true or false", nullable);
    if (nullable) types.add("null");
    return { types, integer: names.includes("integer") && !names.includes("number") };
  }

  #values(): ReadonlyMap<string, unknown> | undefined {
    const values = this.#fields.get("enum");
    if (values !== undefined && !Array.isArray(values)) throw this.#error("enum", "an array", values);
    if (values) checkLimit("schema: values of enum", values.length, MAX_ALTERNATIVES);
    spend(VALUE_COST * (values?.length ?? 0));
    const constant = this.#fields.has("const") ? [this.#fields.get("const")] : undefined;
    for (const value of [...(values ?? []), ...(constant ?? [])]) this.#checkDepth(value);
    const listed = values && new Map(values.map((value) => [jsonText(value), value]));
    if (!constant) return listed;
    const text = jsonText(constant[0]);
    return new Map(!listed || listed.has(text) ? [[text, constant[0]]] : []);
  }

  #checkDepth(value: unknown): void {
    if (!JSON_VALUES.includes(typeof value)) throw this.#error("enum", "JSON values", typeof value);
    let level = [value];
    for (let depth = 0; level.length > 0; depth++) {
      checkLimit("schema: depth of a value", depth, MAX_DEPTH);
      const inside = level.filter((item) => typeof item === "object" && item !== null);
      level = inside.flatMap((item) => Object.values(item as object));
      checkLimit("schema: size of a value", level.length, MAX_ALTERNATIVES * 4);
    }
  }

  /** Draft 4's `exclusiveMinimum: true` is refused. */
  #bounds(): { lower: Bound[]; upper: Bound[] } {
    const bound = (key: string, exclusive: boolean): Bound[] => {
      const value = this.#number(key);
      return value === undefined ? [] : [{ value, exclusive }];
    };
    return {
      lower: [...bound("minimum", false), ...bound("exclusiveMinimum", true)],
      upper: [...bound("maximum", false), ...bound("exclusiveMaximum", true)],
    };
  }

  #number(key: string): number | undefined {
    const value = this.#fields.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && (key !== "multipleOf" || value > 0)) return value;
    throw this.#error(key, key === "multipleOf" ? "a number above 0" : "a number", value);
  }

  #range(low: string, high: string): Range {
    const read = (key: string, otherwise: number) => {
      const value = this.#fields.get(key) ?? otherwise;
      if (typeof value === "number" && value >= 0 && (Number.isInteger(value) || value === otherwise)) return value;
      throw this.#error(key, "an integer from 0", value);
    };
    return { min: read(low, 0), max: read(high, Number.POSITIVE_INFINITY) };
  }

  #patterns(): Dfa[] {
    const patterns: Dfa[] = [];
    const pattern = this.#fields.get("pattern");
    if (pattern !== undefined) {
      if (typeof pattern !== "string") throw this.#error("pattern", "a string", pattern);
      patterns.push(findingDfa(pattern));
    }
    const format = this.#fields.get("format");
    if (format !== undefined) {
      if (typeof format !== "string") throw this.#error("format", "a string", format);
      const known = formatDfa(format);
      if (known) patterns.push(known);
    }
    return patterns;
  }

  #required(): readonly string[] {
    const names = this.#fields.get("required") ?? [];
    if (!Array.isArray(names)) throw this.#error("required", "an array of strings", names);
    const wrong = names.findIndex((name) => typeof name !== "string");
    if (wrong >= 0) throw this.#error("required", "an array of strings", names[wrong]);
    checkLimit("schema: required properties", names.length, MAX_ALTERNATIVES);
    return names as string[];
  }

  #schemas(key: string): readonly RawSchema[] | undefined {
    const list = this.#fields.get(key);
    if (list === undefined) return undefined;
    if (!Array.isArray(list)) throw this.#error(key, "an array of schemas", list);
    checkLimit(`schema: alternatives of ${key}`, list.length, MAX_ALTERNATIVES);
    return list.map((raw) => this.#asSchema(key, raw));
  }

  #schema(key: string): RawSchema | undefined {
    const raw = this.#fields.get(key);
    return raw === undefined ? undefined : this.#asSchema(key, raw);
  }

  #properties(key: string): [string, RawSchema][] {
    const object = this.#fields.get(key) ?? {};
    if (typeof object !== "object" || object === null || Array.isArray(object)) {
      throw this.#error(key, "an object of schemas", object);
    }
    const entries = Object.entries(object);
    checkLimit(`schema: ${key}`, entries.length, MAX_ALTERNATIVES);
    return entries.map(([name, raw]) => [name, this.#asSchema(key, raw)]);
  }

  #asSchema(key: string, raw: unknown): RawSchema {
    if (isSchema(raw)) return raw;
    throw this.#error(key, "a schema (an object, true or false)", raw);
  }

  #error(key: string, expected: string, got: unknown) {
    const text =
      typeof got === "object" && got !== null ? (Array.isArray(got) ? "an array" : "an object") : String(got);
    return grammarError(`schema: ${key} at ${this.#where}: expected ${expected}, got ${text.slice(0, 64)}`);
  }
}
