/**
 * The tests by name (https://jinja.palletsprojects.com/templates/#list-of-builtin-tests).
 * @module
 */
import { bind } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { textPredicate } from "./character-classes.ts";
import { isFilter } from "./filters.ts";
import { binary, compare } from "./operators.ts";
import { toText } from "./printing.ts";
import {
  type Arguments,
  Dict,
  elementsOf,
  hash,
  integerOf,
  lengthOf,
  Markup,
  NONE,
  PyObject,
  textOf,
  Undefined,
  type Value,
  View,
} from "./values.ts";

type Test = readonly [signature: string, holds: (value: Value, argument: Value, budget: Budget) => boolean];

const isNumber = (value: Value): boolean => typeof value === "number" || integerOf(value) !== undefined;
const remainder = (value: Value, by: Value, wanted: bigint, budget: Budget): boolean =>
  compare("==", binary("%", value, by, budget), wanted, budget);
const comparison = (operator: string): Test => [
  "other",
  (value, other, budget) => compare(operator, value, other, budget),
];

const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["odd", ["", (value, _, budget) => remainder(value, 2n, 1n, budget)]],
  ["even", ["", (value, _, budget) => remainder(value, 2n, 0n, budget)]],
  ["divisibleby", ["num", (value, by, budget) => remainder(value, by, 0n, budget)]],
  ["defined", ["", (value) => !(value instanceof Undefined)]],
  ["undefined", ["", (value) => value instanceof Undefined]],
  ["filter", ["", (value) => hash(value) !== undefined && isFilter(textOf(value) ?? "")]],
  ["test", ["", (value) => hash(value) !== undefined && isTest(textOf(value) ?? "")]],
  ["none", ["", (value) => value === NONE]],
  ["boolean", ["", (value) => typeof value === "boolean"]],
  ["false", ["", (value) => value === false]],
  ["true", ["", (value) => value === true]],
  ["integer", ["", (value) => typeof value === "bigint"]],
  ["float", ["", (value) => typeof value === "number"]],
  ["lower", ["", (value, _, budget) => textPredicate("islower")!(toText(value, budget))]],
  ["upper", ["", (value, _, budget) => textPredicate("isupper")!(toText(value, budget))]],
  ["string", ["", (value) => textOf(value) !== undefined]],
  ["mapping", ["", (value) => value instanceof Dict]],
  ["number", ["", isNumber]],
  ["sequence", ["", (value) => lengthOf(value) !== undefined && !(value instanceof View)]],
  ["iterable", ["", (value) => elementsOf(value) !== undefined]],
  ["callable", ["", (value) => value instanceof PyObject && value.call !== undefined]],
  // Equal numbers and texts count as the same object, which is true of small ones in CPython.
  ["sameas", ["other", (value, other) => value === other]],
  ["escaped", ["", (value) => value instanceof Markup]],
  ["in", ["seq", (value, sequence, budget) => compare("in", value, sequence, budget)]],
  ...["==", "!=", ">", ">=", "<", "<="].map((operator) => [operator, comparison(operator)] as const),
  ["eq", comparison("==")],
  ["equalto", comparison("==")],
  ["ne", comparison("!=")],
  ["gt", comparison(">")],
  ["greaterthan", comparison(">")],
  ["ge", comparison(">=")],
  ["lt", comparison("<")],
  ["lessthan", comparison("<")],
  ["le", comparison("<=")],
]);

/** Whether there is a test of that name. */
export function isTest(name: string): boolean {
  return TESTS.has(name);
}

/** `value is name(args)`; undefined if there is no such test. */
export function applyTest(name: string, value: Value, args: Arguments, budget: Budget): boolean | undefined {
  const test = TESTS.get(name);
  if (!test) return undefined;
  const [argument] = bind(name, test[0], args);
  return test[1](value, argument ?? NONE, budget);
}
