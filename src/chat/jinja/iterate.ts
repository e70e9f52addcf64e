/**
 * Iterates over values. Each element costs a step.
 * @module
 */
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import { elementsOf, lengthOf, typeName, type Value } from "./values.ts";

/** The elements of a value. @throws JinjaError if it cannot be iterated */
export function* iterate(value: Value, budget: Budget): Generator<Value, void> {
  const elements = elementsOf(value) ?? fail(`'${typeName(value)}' object is not iterable`);
  for (const element of elements) {
    budget.spend(1);
    yield element;
  }
}

/** The elements of a value as a list. @throws JinjaError if it cannot be iterated, or has too many elements */
export function toList(value: Value, budget: Budget): Value[] {
  budget.list(lengthOf(value) ?? 0);
  const list: Value[] = [];
  for (const element of iterate(value, budget)) list.push(element);
  return list;
}
