/**
 * Reads and checks the keywords of one JSON Schema: draft 2020-12, the spellings of drafts 4 to 7, and `nullable` of
 * OpenAPI 3.0. Unknown keywords are annotations.
 * @module
 */
import { checkLimit, MAX_ALTERNATIVES, MAX_DEPTH, spend } from "../limits.ts";
import type { Dfa } from "../regular/dfa.ts";
import { conditionalAlternatives, dependentAlternatives } from "./conditions.ts";
import { formatDfa } from "./formats.ts";
import { KeywordReader } from "./keyword-reader.ts";
import { impliedTypes } from "./keywords.ts";
import type { Languages } from "./languages.ts";
import { type Alternatives, type Bound, type Contains, JSON_TYPES, type JsonType, jsonText, type RawSchema, type SchemaNode } from "./node.ts"; // biome-ignore format: one line

/** The cost of reading one value of `enum`, in steps. */
const VALUE_COST = 4;
const JSON_VALUES: readonly string[] = ["object", "string", "number", "boolean"];
const REFERENCES: readonly string[] = ["$ref", "$dynamicRef", "$recursiveRef"];
const WRITTEN: readonly string[] = ["$ref", "allOf", "properties", "anyOf", "oneOf"];

interface Place {
  readonly id: number;
  /** The place in the schema as a JSON pointer. */
  readonly where: string;
  readonly languages: Languages;
}

/** @throws NibbleError `invalid_argument` that names the keyword that is wrong or not supported */
export function readSchemaNode(raw: RawSchema, { id, where, languages }: Place): SchemaNode {
  const keywords = new KeywordReader(raw, where);
  const hasOldPrefix = Array.isArray(keywords.fields.get("items"));
  const properties = keywords.schemasByName("properties");
  return {
    id,
    raw,
    where,
    ...readTypes(raw, keywords),
    impliedTypes: impliedTypes(keywords.fields),
    ...readValues(keywords),
    ...readBounds(keywords),
    multipleOf: keywords.number("multipleOf"),
    patterns: readPatterns(keywords, languages),
    length: keywords.range("minLength", "maxLength"),
    prefixItems: keywords.schemas(hasOldPrefix ? "items" : "prefixItems") ?? [],
    items: keywords.schema(hasOldPrefix ? "additionalItems" : "items"),
    unevaluatedItems: keywords.schema("unevaluatedItems"),
    count: keywords.range("minItems", "maxItems"),
    uniqueItems: keywords.boolean("uniqueItems"),
    contains: readContains(keywords),
    properties: new Map(properties),
    listsProperties: keywords.fields.has("properties") && !properties.some(([, schema]) => schema === false),
    patternProperties: keywords
      .schemasByName("patternProperties")
      .map(([key, schema]) => [languages.pattern(key), schema]),
    additionalProperties: keywords.schema("additionalProperties"),
    unevaluatedProperties: keywords.schema("unevaluatedProperties"),
    propertyNames: keywords.schema("propertyNames"),
    required: keywords.names("required"),
    size: keywords.range("minProperties", "maxProperties"),
    allOf: keywords.schemas("allOf") ?? [],
    refs: REFERENCES.flatMap((keyword) => keywords.text(keyword) ?? []),
    alternatives: readAlternatives(keywords),
    written: [...keywords.fields.keys()].filter((key) => WRITTEN.includes(key)),
  };
}

type Read<K extends keyof SchemaNode> = Pick<SchemaNode, K>;

function readTypes(raw: RawSchema, keywords: KeywordReader): Read<"types" | "integer"> {
  if (raw === false) return { types: new Set(), integer: false };
  const given = keywords.fields.get("type");
  if (given === undefined) return { types: new Set(JSON_TYPES), integer: false };
  const names: unknown[] = Array.isArray(given) ? given : [given];
  const types = new Set<JsonType>();
  for (const name of names) {
    const type = name === "integer" ? "number" : JSON_TYPES.find((known) => known === name);
    if (!type) throw keywords.error("type", `${JSON_TYPES.join(", ")}, integer, or an array of them`, name);
    types.add(type);
  }
  if (keywords.boolean("nullable")) types.add("null");
  return { types, integer: names.includes("integer") && !names.includes("number") };
}

/** `enum` and `const`, and the forms of `not` that a grammar follows itself. */
function readValues(keywords: KeywordReader): Read<"values" | "excluded" | "fractional" | "not" | "isTyped"> {
  const { fields } = keywords;
  const values = listedValues(keywords, fields);
  const isTyped = values !== undefined || fields.has("type");
  const not = keywords.schema("not");
  const inside = typeof not === "object" ? new Map(Object.entries(not)) : undefined;
  const excluded = inside?.size === 1 ? listedValues(keywords, inside) : undefined;
  const fractional = inside?.size === 1 && inside.get("multipleOf") === 1;
  return {
    values,
    excluded: excluded ?? new Map(),
    fractional,
    not: excluded || fractional ? undefined : not,
    isTyped,
  };
}

function listedValues(keywords: KeywordReader, fields: ReadonlyMap<string, unknown>): Map<string, unknown> | undefined {
  const values = fields.get("enum");
  if (values !== undefined && !Array.isArray(values)) throw keywords.error("enum", "an array", values);
  if (values) checkLimit("schema: values of enum", values.length, MAX_ALTERNATIVES);
  spend(VALUE_COST * (values?.length ?? 0));
  const constant = fields.has("const") ? [fields.get("const")] : undefined;
  for (const value of [...(values ?? []), ...(constant ?? [])]) checkDepth(value, keywords);
  const listed = values && new Map<string, unknown>(values.map((value) => [jsonText(value), value]));
  if (!constant) return listed;
  const text = jsonText(constant[0]);
  return new Map(!listed || listed.has(text) ? [[text, constant[0]]] : []);
}

function checkDepth(value: unknown, keywords: KeywordReader): void {
  if (!JSON_VALUES.includes(typeof value)) throw keywords.error("enum", "JSON values", typeof value);
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    checkLimit("schema: depth of a value", depth, MAX_DEPTH);
    const inside = level.filter((item) => typeof item === "object" && item !== null);
    level = inside.flatMap((item) => Object.values(item as object));
    checkLimit("schema: size of a value", level.length, MAX_ALTERNATIVES * 4);
  }
}

/** In draft 4 and OpenAPI 3.0, `exclusiveMinimum: true` makes `minimum` exclusive. */
function readBounds(keywords: KeywordReader): Read<"lower" | "upper"> {
  const bounds = (key: string, exclusiveKey: string): Bound[] => {
    const flag = keywords.fields.get(exclusiveKey);
    const value = keywords.number(key);
    const bound = value === undefined ? [] : [{ value, exclusive: flag === true }];
    if (typeof flag === "boolean") return bound;
    const exclusive = keywords.number(exclusiveKey);
    return exclusive === undefined ? bound : [...bound, { value: exclusive, exclusive: true }];
  };
  return { lower: bounds("minimum", "exclusiveMinimum"), upper: bounds("maximum", "exclusiveMaximum") };
}

function readPatterns(keywords: KeywordReader, languages: Languages): Dfa[] {
  const pattern = keywords.text("pattern");
  const format = keywords.text("format");
  const language = format === undefined ? undefined : formatDfa(format);
  return [...(pattern === undefined ? [] : [languages.pattern(pattern)]), ...(language ? [language] : [])];
}

function readContains(keywords: KeywordReader): Contains | undefined {
  const schema = keywords.schema("contains");
  if (schema === undefined) return undefined;
  const range = keywords.range("minContains", "maxContains", 1);
  if (range.min === 0 && range.max === Number.POSITIVE_INFINITY) return undefined;
  return { schema, contrary: { not: schema }, ...range };
}

function readAlternatives(keywords: KeywordReader): Alternatives[] {
  const listed = ["anyOf", "oneOf"].flatMap((keyword) => {
    const schemas = keywords.schemas(keyword);
    return schemas ? [{ keyword, schemas, exclusive: keyword === "oneOf" }] : [];
  });
  return [...listed, ...conditionalAlternatives(keywords), ...dependentAlternatives(keywords)];
}
