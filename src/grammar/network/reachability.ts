/**
 * Finds rules that match the empty text, and nodes from which their rule can end.
 * @module
 */
import { spend } from "../limits.ts";
import type { Network } from "./network.ts";

/** A call, seen from its rule: the node that calls, and the node after the call. */
interface Caller {
  readonly from: number;
  readonly back: number;
}

/** Adds a free edge beside each call of a rule that matches the empty text. */
export function addEmptyCalls(network: Network, ruleOfEnd: ReadonlyMap<number, number>): void {
  const callers = callersByRule(network);
  /** Nodes that are reached from the start of their rule without a byte. */
  const reached = new Uint8Array(network.size);
  const queue: number[] = [];
  const reach = (node: number) => {
    if (reached[node]) return;
    reached[node] = 1;
    queue.push(node);
  };
  for (const start of network.starts) if (start >= 0) reach(start);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of network.free[node]!) reach(next);
    const rule = ruleOfEnd.get(node);
    for (const { from, back } of rule === undefined ? [] : (callers.get(rule) ?? [])) {
      network.free[from]!.push(back);
      if (reached[from]) reach(back);
    }
  }
}

/** Marks the nodes from which their rule can end. */
export function findProductive(network: Network, ruleOfEnd: ReadonlyMap<number, number>): Uint8Array {
  const sources = sourcesByTarget(network);
  const callers = callersByRule(network);
  const callsBackTo = new Map<number, { from: number; rule: number }[]>();
  for (const [rule, list] of callers) {
    for (const { from, back } of list) callsBackTo.set(back, [...(callsBackTo.get(back) ?? []), { from, rule }]);
  }
  const ruleOfStart = new Map(network.starts.map((start, rule) => [start, rule]));
  const productive = new Uint8Array(network.size);
  const queue: number[] = [];
  const mark = (node: number) => {
    if (productive[node]) return;
    productive[node] = 1;
    queue.push(node);
  };
  for (const end of ruleOfEnd.keys()) mark(end);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const source of sources[node]!) mark(source);
    for (const { from, rule } of callsBackTo.get(node) ?? []) if (productive[network.starts[rule]!]) mark(from);
    const rule = ruleOfStart.get(node);
    for (const { from, back } of rule === undefined ? [] : (callers.get(rule) ?? [])) if (productive[back]) mark(from);
  }
  return productive;
}

/** For each node the nodes with a free edge, a byte edge or a token edge to it. */
function sourcesByTarget(network: Network): number[][] {
  const sources: number[][] = Array.from({ length: network.size }, () => []);
  for (let node = 0; node < network.size; node++) {
    for (const next of network.free[node]!) sources[next]!.push(node);
    for (const { target } of network.bytes[node]!) sources[target]!.push(node);
    for (const { target } of network.tokens[node]!) sources[target]!.push(node);
  }
  return sources;
}

function callersByRule(network: Network): Map<number, Caller[]> {
  const callers = new Map<number, Caller[]>();
  for (const [from, calls] of network.calls.entries()) {
    for (const { rule, back } of calls) {
      const list = callers.get(rule);
      if (list) list.push({ from, back });
      else callers.set(rule, [{ from, back }]);
    }
  }
  return callers;
}

/** The productive nodes that are reached from a node without a byte. */
export function freeClosure(network: Network, node: number, productive: Uint8Array): Set<number> {
  const seen = new Set([node]);
  for (const reached of seen) {
    spend(1 + network.free[reached]!.length);
    for (const next of network.free[reached]!) if (productive[next]) seen.add(next);
  }
  return seen;
}
