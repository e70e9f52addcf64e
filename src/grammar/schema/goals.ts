/**
 * Finds the schemas that the parts of a value must satisfy.
 * @module
 */
import { type Dfa, matches } from "../regular/dfa.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import type { RawSchema, SchemaNode } from "./node.ts";

/** The goal of the value of a named property. */
export const propertyGoal = (nodes: Case, name: string, context: SchemaContext): Goal =>
  fieldGoal(nodes, { name, matched: (pattern) => matches(pattern, name) }, context);

/** The goal of the value of a property that is not named, if its key is in the languages for which `matched` holds. */
export const otherPropertyGoal = (nodes: Case, matched: (pattern: Dfa) => boolean, context: SchemaContext): Goal =>
  fieldGoal(nodes, { name: undefined, matched }, context);

interface Key {
  /** The name, if `properties` or `required` names it. */
  readonly name: string | undefined;
  /** Whether a pattern matches the key. */
  readonly matched: (pattern: Dfa) => boolean;
}

function fieldGoal(nodes: Case, key: Key, context: SchemaContext): Goal {
  return nodes.flatMap((node) => {
    const found = fieldSchemas(node, key);
    if (node.unevaluatedProperties !== undefined && found.length === 0) {
      const isEvaluated = evaluators(node, nodes, context).some(
        (each) => fieldSchemas(each, key).length > 0 || each.unevaluatedProperties !== undefined,
      );
      if (!isEvaluated) found.push([node.unevaluatedProperties, "unevaluatedProperties"]);
    }
    return found.map(([raw, place]) => context.node(raw, `${node.where}/${place}`));
  });
}

/** The schemas that one schema requires of the value of a property. */
function fieldSchemas(node: SchemaNode, { name, matched }: Key): [schema: RawSchema, place: string][] {
  const found: [RawSchema, string][] = [];
  const named = name === undefined ? undefined : node.properties.get(name);
  if (named !== undefined) found.push([named, `properties/${name}`]);
  for (const [pattern, schema] of node.patternProperties) {
    if (matched(pattern)) found.push([schema, "patternProperties"]);
  }
  if (found.length === 0 && node.additionalProperties !== undefined) {
    found.push([node.additionalProperties, "additionalProperties"]);
  }
  return found;
}

/** The goal of the keys, which `propertyNames` describes as strings. */
export const keyGoal = (nodes: Case, context: SchemaContext): Goal =>
  nodes.flatMap(({ propertyNames: raw, where }) =>
    raw === undefined ? [] : [context.node(raw, `${where}/propertyNames`)],
  );

/** The goal of the item at a place of an array. */
export function itemGoal(nodes: Case, at: number, context: SchemaContext): Goal {
  return nodes.flatMap((node) => {
    const found = itemSchema(node, at);
    if (found !== undefined) return [context.node(found, `${node.where}/items`)];
    if (node.unevaluatedItems === undefined) return [];
    const isEvaluated = evaluators(node, nodes, context).some(
      (each) => itemSchema(each, at) !== undefined || each.unevaluatedItems !== undefined,
    );
    return isEvaluated ? [] : [context.node(node.unevaluatedItems, `${node.where}/unevaluatedItems`)];
  });
}

const itemSchema = (node: SchemaNode, at: number): RawSchema | undefined =>
  at < node.prefixItems.length ? node.prefixItems[at] : node.items;

/**
 * The other schemas of a case that apply to the same value as parts of a node: what they evaluate is not unevaluated
 * there (JSON Schema Core 2020-12, section 11).
 */
function evaluators(node: SchemaNode, nodes: Case, context: SchemaContext): SchemaNode[] {
  const found = new Set<SchemaNode>([node]);
  for (const each of found) for (const part of context.parts(each)) if (nodes.includes(part)) found.add(part);
  found.delete(node);
  return [...found];
}
