/**
 * Whether a value satisfies a schema: the values of `enum` and `const` must satisfy the other keywords, too.
 * @module
 */
import { checkLimit, MAX_DEPTH, spend } from "../limits.ts";
import type { Case, Goal, SchemaContext } from "./context.ts";
import { itemGoal, keyGoal, propertyGoal } from "./goals.ts";
import { commonRange, type JsonType, jsonText, type SchemaNode } from "./node.ts";
import { isValidString } from "./strings.ts";

export class Validator {
  readonly #context: SchemaContext;
  readonly #cases: (goal: Goal) => Case[];
  #depth = 0;

  /** @param isLoose several alternatives of a `oneOf` may hold: more values are valid, and no alternatives are compared */
  constructor(context: SchemaContext, isLoose: boolean) {
    this.#context = context;
    this.#cases = (goal) => (isLoose ? context.looseCases(goal) : context.cases(goal));
  }

  /** Whether a value satisfies schemas with everything that they refer to. */
  isValid(value: unknown, goal: Goal): boolean {
    if (!goal.every((node) => isListed(value, node))) return false;
    checkLimit("schema: depth of a value of enum", ++this.#depth, 2 * MAX_DEPTH);
    const isValid = this.#cases(goal).some((nodes) => this.isValidCase(value, nodes));
    this.#depth--;
    return isValid;
  }

  /** Whether a value satisfies the schemas of a case. */
  isValidCase(value: unknown, nodes: Case): boolean {
    if (!nodes.every((node) => isListed(value, node))) return false;
    if (typeof value === "number") return nodes.every((node) => isValidNumber(value, node));
    if (typeof value === "string") return isValidString(value, nodes);
    if (Array.isArray(value)) return this.#isValidArray(value, nodes);
    return typeof value !== "object" || value === null || this.#isValidObject(value, nodes);
  }

  #isValidArray(value: readonly unknown[], nodes: Case): boolean {
    const context = this.#context;
    const { min, max } = commonRange(nodes.map(({ count }) => count));
    if (value.length < min || value.length > max) return false;
    const isUnique = new Set(value.map(jsonText)).size === value.length;
    if (!isUnique && nodes.some(({ uniqueItems }) => uniqueItems)) return false;
    const isContained = nodes.every(({ contains, where }) => {
      if (!contains) return true;
      const goal = [context.node(contains.schema, `${where}/contains`)];
      const contained = value.filter((item) => this.isValid(item, goal)).length;
      return contained >= contains.min && contained <= contains.max;
    });
    return isContained && value.every((item, at) => this.isValid(item, itemGoal(nodes, at, context)));
  }

  #isValidObject(value: object, nodes: Case): boolean {
    const context = this.#context;
    const { min, max } = commonRange(nodes.map(({ size }) => size));
    const fields = new Map(Object.entries(value));
    if (fields.size < min || fields.size > max) return false;
    if (!nodes.every(({ required }) => required.every((name) => fields.has(name)))) return false;
    const keys = keyGoal(nodes, context);
    return [...fields].every(
      ([name, item]) => this.isValid(name, keys) && this.isValid(item, propertyGoal(nodes, name, context)),
    );
  }
}

function isListed(value: unknown, { types, values, excluded }: SchemaNode): boolean {
  spend(1);
  if (!types.has(typeOf(value))) return false;
  if (values === undefined && excluded.size === 0) return true;
  const text = jsonText(value);
  return (values?.has(text) ?? true) && !excluded.has(text);
}

function isValidNumber(value: number, { integer, fractional, lower, upper, multipleOf }: SchemaNode): boolean {
  if (fractional && Number.isInteger(value)) return false;
  if (integer && !Number.isInteger(value)) return false;
  if (lower.some((bound) => value < bound.value || (bound.exclusive && value === bound.value))) return false;
  if (upper.some((bound) => value > bound.value || (bound.exclusive && value === bound.value))) return false;
  return multipleOf === undefined || Number.isInteger(value / multipleOf);
}

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as JsonType;
}
