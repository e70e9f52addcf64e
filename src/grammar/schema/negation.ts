/**
 * Schemas that say the contrary of a schema.
 * @module
 */
import { grammarError } from "../limits.ts";
import { JSON_TYPES, type RawSchema } from "./node.ts";

/** The contrary of one keyword: schemas of which at least one holds. Without any, the keyword always holds. */
type Contrary = (value: never, fields: ReadonlyMap<string, unknown>) => readonly RawSchema[];

const CONTRARIES: ReadonlyMap<string, Contrary> = new Map<string, Contrary>(
  Object.entries({
    type: (types: string | readonly string[], fields) => {
      const named = new Set([types].flat().map((type) => (type === "integer" ? "number" : type)));
      if (fields.get("nullable") === true) named.add("null");
      const others = { type: JSON_TYPES.filter((type) => !named.has(type)) };
      const isInteger = [types].flat().includes("integer") && ![types].flat().includes("number");
      return isInteger ? [others, { type: "number", not: { multipleOf: 1 } }] : [others];
    },
    enum: (values: readonly unknown[]) => [{ not: { enum: values } }],
    const: (value: unknown) => [{ not: { const: value } }],
    minimum: (value: number, fields) => [
      { type: "number", [fields.get("exclusiveMinimum") === true ? "maximum" : "exclusiveMaximum"]: value },
    ],
    maximum: (value: number, fields) => [
      { type: "number", [fields.get("exclusiveMaximum") === true ? "minimum" : "exclusiveMinimum"]: value },
    ],
    exclusiveMinimum: (value: number | boolean) =>
      typeof value === "boolean" ? [] : [{ type: "number", maximum: value }],
    exclusiveMaximum: (value: number | boolean) =>
      typeof value === "boolean" ? [] : [{ type: "number", minimum: value }],
    minLength: (length: number) => fewer("string", "maxLength", length),
    maxLength: (length: number) => [{ type: "string", minLength: length + 1 }],
    pattern: (pattern: string) => [{ type: "string", pattern: `^(?![^]*(?:${pattern}))` }],
    minItems: (count: number) => fewer("array", "maxItems", count),
    maxItems: (count: number) => [{ type: "array", minItems: count + 1 }],
    minProperties: (count: number) => fewer("object", "maxProperties", count),
    maxProperties: (count: number) => [{ type: "object", minProperties: count + 1 }],
    required: (names: readonly string[]) => names.map((name) => ({ type: "object", properties: { [name]: false } })),
    properties: (schemas: Readonly<Record<string, RawSchema>>) =>
      Object.entries(schemas).map(([name, not]) => ({
        type: "object",
        required: [name],
        properties: { [name]: { not } },
      })),
    allOf: (schemas: readonly RawSchema[]) => schemas.map((not) => ({ not })),
    anyOf: (schemas: readonly RawSchema[]) => [{ allOf: schemas.map((not) => ({ not })) }],
    not: (schema: RawSchema) => [schema],
  } satisfies Record<string, Contrary>),
);

/** The contraries of keywords that are taken where none of those above is there: they make larger grammars. */
const LARGE_CONTRARIES: ReadonlyMap<string, Contrary> = new Map<string, Contrary>(
  Object.entries({
    items: (items: RawSchema | readonly RawSchema[], fields) => {
      if (Array.isArray(items)) return someItem(items);
      return fields.has("prefixItems") ? [] : [{ type: "array", contains: { not: items } }];
    },
    prefixItems: (schemas: readonly RawSchema[]) => someItem(schemas),
    contains: (schema: RawSchema, fields) => {
      const [min = 1, max] = ["minContains", "maxContains"].map((key) => fields.get(key) as number | undefined);
      const fewerItems = { type: "array", contains: schema, minContains: 0, maxContains: min - 1 };
      const more = max === undefined ? [] : [{ type: "array", contains: schema, minContains: max + 1 }];
      return min > 0 ? [fewerItems, ...more] : more;
    },
    oneOf: (schemas: readonly RawSchema[]) => [
      { allOf: schemas.map((not) => ({ not })) },
      ...(schemas.length === 2 ? [{ allOf: schemas }] : []),
    ],
    if: (condition: RawSchema, fields) => {
      const [whenTrue, whenFalse] = ["then", "else"].map((key) => fields.get(key));
      return [
        ...(whenTrue === undefined ? [] : [{ allOf: [condition, { not: whenTrue }] }]),
        ...(whenFalse === undefined ? [] : [{ allOf: [{ not: condition }, { not: whenFalse }] }]),
      ];
    },
    dependentRequired: (dependents: Readonly<Record<string, readonly string[]>>) =>
      Object.entries(dependents).flatMap(([name, others]) =>
        others.map((other) => ({ type: "object", required: [name], properties: { [other]: false } })),
      ),
    dependentSchemas: (dependents: Readonly<Record<string, RawSchema>>) =>
      Object.entries(dependents).map(([name, not]) => ({ type: "object", required: [name], allOf: [{ not }] })),
  } satisfies Record<string, Contrary>),
);

/** An item that does not satisfy the schema of its place. */
const someItem = (schemas: readonly RawSchema[]): RawSchema[] =>
  schemas.map((not, i) => ({
    type: "array",
    minItems: i + 1,
    prefixItems: [...schemas.slice(0, i).map(() => true), { not }],
  }));

/** Keywords that limit values, but whose contrary a grammar cannot follow. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  ...["multipleOf", "format", "items", "additionalItems", "uniqueItems", "patternProperties", "additionalProperties"],
  ...["propertyNames", "dependencies", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef"],
]);

const fewer = (type: string, keyword: string, count: number): RawSchema[] =>
  count > 0 ? [{ type, [keyword]: count - 1 }] : [];

/**
 * A schema that no value satisfies together with `raw`. If the contrary of some keyword is not supported, values that
 * violate only that keyword are left out.
 * @param resolve gives the schema that a `$ref` refers to
 * @throws NibbleError `invalid_argument` if no keyword has a contrary that is supported
 */
export function negate(raw: RawSchema, where: string, resolve: (ref: string) => RawSchema): RawSchema {
  if (typeof raw === "boolean") return !raw;
  const fields = new Map(Object.entries(raw));
  const contraries: RawSchema[] = [];
  let unsupported: string | undefined;
  const add = (table: ReadonlyMap<string, Contrary>): void => {
    for (const [key, value] of fields) contraries.push(...(table.get(key)?.(value as never, fields) ?? []));
  };
  for (const [key, value] of fields) {
    if (key === "$ref") contraries.push({ not: resolve(value) });
    if (UNSUPPORTED.has(key) && value !== true) unsupported = key;
  }
  add(CONTRARIES);
  if (contraries.length === 0) add(LARGE_CONTRARIES);
  if (contraries.length === 0 && unsupported !== undefined) {
    throw grammarError(`schema: not at ${where}: ${unsupported} inside it is not supported`);
  }
  return contraries.length === 1 ? contraries[0]! : { anyOf: contraries };
}
