/**
 * Going through values; each element costs a step.
 * @module
 */
import type { Budget } from "./budget.ts";
import { fail } from "./errors.ts";
import { elementsOf, lengthOf, typeName, type Value } from "./values.ts";

/** @throws JinjaError if the value cannot be gone through. */
export function* iterate(value: Value, budget: Budget): Generator<Value, void> {
  const elements = elementsOf(value) ?? fail(`'${typeName(value)}' object is not iterable`);
  for (const element of elements) {
    budget.spend(1);
    yield element;
  }
}

export function toList(value: Value, budget: Budget): Value[] {
  budget.list(lengthOf(value) ?? 0);
  const list: Value[] = [];
  for (const element of iterate(value, budget)) list.push(element);
  return list;
}
