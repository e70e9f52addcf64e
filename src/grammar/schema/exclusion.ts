/**
 * Whether two schemas exclude each other.
 * @module
 */
import { caseTypes } from "./case-types.ts";
import type { Case, SchemaContext } from "./context.ts";
import { propertyGoal } from "./goals.ts";
import { isOpen, propertyNames, requiredNames } from "./object.ts";
import { isVoidCase } from "./value.ts";

/**
 * True if it is certain that no text that is written for a case is in one of the others. This may hold though some value
 * is in both, since the texts have no members beyond those that their schema lists. Looks `depth` properties deep.
 * @param others cases that have the schemas of `written` and more
 */
export function textsExclude(written: Case, others: readonly Case[], context: SchemaContext, depth: number): boolean {
  return others.every((nodes) => isVoidCase(nodes, context, depth) || objectsExclude(written, nodes, context, depth));
}

function objectsExclude(written: Case, other: Case, context: SchemaContext, depth: number): boolean {
  if (written.length === 0 || depth === 0 || caseTypes(other).some((type) => type !== "object")) return false;
  const names = new Set(propertyNames(written));
  if (!isOpen(written) && [...requiredNames(other)].some((name) => !names.has(name))) return true;
  return [...requiredNames(written)].some((name) => {
    const goal = propertyGoal(written, name, context);
    const both = context.looseCases([...goal, ...propertyGoal(other, name, context)]);
    return context.looseCases(goal).every((each) => textsExclude(each, both, context, depth - 1));
  });
}
