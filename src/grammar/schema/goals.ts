/**
 * Which schemas the parts of a value must satisfy.
 * @module
 */
import { type Dfa, matches } from "../regular/dfa.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";

/** The goal of the value of a named property. */
export function propertyGoal(nodes: Case, name: string, context: SchemaContext): Goal {
  return nodes.flatMap((node) => {
    const raw = node.properties.get(name);
    const here = raw === undefined ? [] : [context.node(raw, `${node.where}/properties/${name}`)];
    const found = node.patternProperties.filter(([pattern]) => matches(pattern, name));
    for (const [, schema] of found) here.push(context.node(schema, `${node.where}/patternProperties`));
    if (here.length > 0 || node.additionalProperties === undefined) return here;
    return [context.node(node.additionalProperties, `${node.where}/additionalProperties`)];
  });
}

/** The goal of the value of a property that is not named, if its key is in the languages for which `matched` holds. */
export function otherPropertyGoal(nodes: Case, matched: (pattern: Dfa) => boolean, context: SchemaContext): Goal {
  return nodes.flatMap((node) => {
    const found = node.patternProperties.filter(([pattern]) => matched(pattern)).map(([, raw]) => raw);
    if (found.length === 0 && node.additionalProperties !== undefined) found.push(node.additionalProperties);
    return found.map((raw) => context.node(raw, `${node.where}/additionalProperties`));
  });
}

/** The goal of the keys, which `propertyNames` describes as strings. */
export const keyGoal = (nodes: Case, context: SchemaContext): Goal =>
  nodes.flatMap(({ propertyNames: raw, where }) =>
    raw === undefined ? [] : [context.node(raw, `${where}/propertyNames`)],
  );

/** The goal of the item at a place of an array. */
export function itemGoal(nodes: Case, at: number, context: SchemaContext): Goal {
  return nodes.flatMap((node) => {
    const raw = at < node.prefixItems.length ? node.prefixItems[at] : node.items;
    return raw === undefined ? [] : [context.node(raw, `${node.where}/items`)];
  });
}
