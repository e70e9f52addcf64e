/**
 * The types that keywords of JSON Schema are about.
 * @module
 */
import type { JsonType } from "./node.ts";

/** The keywords that are about values of one type: a schema with one of them and no `type` means values of that type. */
const KEYWORDS_OF_TYPE: readonly (readonly [JsonType, readonly string[]])[] = [
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
  ["string", ["minLength", "maxLength", "pattern"]],
  ["array", ["prefixItems", "items", "additionalItems", "unevaluatedItems", "contains"]],
  ["array", ["minItems", "maxItems", "uniqueItems"]],
  ["object", ["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"]],
  ["object", ["required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies"]],
];

/** The types that the keywords of a schema are about. `additionalProperties: true` and the like say nothing. */
export function impliedTypes(fields: ReadonlyMap<string, unknown>): JsonType[] {
  const types = KEYWORDS_OF_TYPE.filter(([, keywords]) =>
    keywords.some((keyword) => fields.has(keyword) && fields.get(keyword) !== true),
  ).map(([type]) => type);
  return [...new Set(types)];
}
