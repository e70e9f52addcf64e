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

/** Keywords that limit values, but whose contrary a grammar cannot follow. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  ...["oneOf", "if", "multipleOf", "format", "items", "additionalItems", "prefixItems", "contains", "uniqueItems"],
  ...["patternProperties", "additionalProperties", "propertyNames", "dependentRequired", "dependentSchemas"],
  ...["dependencies", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef"],
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
  for (const [key, value] of fields) {
    if (key === "$ref") contraries.push({ not: resolve(value) });
    if (UNSUPPORTED.has(key) && value !== true) unsupported = key;
    contraries.push(...(CONTRARIES.get(key)?.(value as never, fields) ?? []));
  }
  if (contraries.length === 0 && unsupported !== undefined) {
    throw grammarError(`schema: not at ${where}: ${unsupported} inside it is not supported`);
  }
  return contraries.length === 1 ? contraries[0]! : { anyOf: contraries };
}
