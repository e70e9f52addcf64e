/**
 * Finds the types that the values of a case may have.
 * @module
 */
import type { Case } from "./context.ts";
import { JSON_TYPES, type JsonType } from "./node.ts";

/**
 * The types that all schemas of a case allow. If none of them has a `type`, these are the types that their keywords are
 * about. (By JSON Schema, `properties` alone would also allow every value that is not an object.)
 */
export function caseTypes(nodes: Case): JsonType[] {
  const types = JSON_TYPES.filter((type) => nodes.every((node) => node.types.has(type)));
  if (nodes.some(({ isTyped }) => isTyped)) return types;
  const implied = new Set(nodes.flatMap(({ impliedTypes }) => impliedTypes));
  return implied.size === 0 ? types : types.filter((type) => implied.has(type));
}
