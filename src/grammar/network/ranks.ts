/**
 * The order in which rules call each other before their first byte.
 * @module
 */
import { grammarError } from "../limits.ts";
import type { GrammarNode } from "./compiled-grammar.ts";

/**
 * A topological order of the rules by "calls before its first byte" (Kahn 1962).
 * @throws NibbleError `invalid_argument` for a cycle, which is left recursion
 */
export function rankRules(nodes: readonly GrammarNode[], starts: Int32Array, names: readonly string[]): Int32Array {
  const callees = Array.from(starts, (start) => new Set(start < 0 ? [] : nodes[start]!.calls.map(({ rule }) => rule)));
  const waiting = new Int32Array(starts.length);
  for (const set of callees) for (const rule of set) waiting[rule]!++;
  const order = [...waiting.keys()].filter((rule) => waiting[rule] === 0);
  for (const rule of order) for (const callee of callees[rule]!) if (--waiting[callee]! === 0) order.push(callee);
  if (order.length === starts.length) return Int32Array.from(order);
  const cycle = [...waiting.keys()].find((rule) => waiting[rule]! > 0 && isOnCycle(callees, rule))!;
  throw grammarError(`grammar: left recursion is not supported: rule ${names[cycle] ?? cycle} can begin with itself`);
}

function isOnCycle(callees: readonly ReadonlySet<number>[], rule: number): boolean {
  const seen = new Set(callees[rule]!);
  for (const reached of seen) for (const next of callees[reached]!) seen.add(next);
  return seen.has(rule);
}
