/**
 * A grammar, compiled: nodes with byte edges and calls, no free edges, no dead ends, no left recursion.
 * @module
 */
import type { CharSet } from "./char-set.ts";
import type { Grammar } from "./expression.ts";
import { checkLimit, grammarError, MAX_EDGES, MAX_RULES, spend } from "./limits.ts";
import { type ByteEdge, type Call, type CharEdge, Network } from "./network.ts";
import { findRuns, type Runs } from "./runs.ts";

export interface Program {
  readonly nodes: readonly ProgramNode[];
  /** First node of each rule. */
  readonly starts: Int32Array;
  /** Of each rule: rules that it calls before its first byte have a higher rank. */
  readonly ranks: Int32Array;
  /** Rules by rank. */
  readonly order: Int32Array;
  /** Bytes that no node tells apart are one class. */
  readonly classOf: Uint8Array;
  /** A byte of each class. */
  readonly bytes: Uint8Array;
  /** Of characters, by their number. */
  readonly sets: readonly CharSet[];
  readonly runs: Runs;
}

export interface ProgramNode {
  readonly bytes: readonly ByteEdge[];
  readonly calls: readonly Call[];
  /** The same as bytes and calls, where they spell characters. */
  readonly chars: readonly CharEdge[];
  /** The rule may end here. */
  readonly accepts: boolean;
}

/**
 * @throws NibbleError `invalid_argument` if the grammar is too large, is left-recursive, or matches no text
 */
export function compileProgram(grammar: Grammar): Program {
  checkLimit("grammar: rules", grammar.rules.length, MAX_RULES);
  const network = new Network(grammar);
  const ruleOfEnd = new Map(network.ends.flatMap((end, rule) => (end < 0 ? [] : [[end, rule]])));
  addEmptyCalls(network, ruleOfEnd);
  const productive = findProductive(network, ruleOfEnd);
  if (!productive[network.starts[0]!]) throw grammarError("grammar: expected at least one text that it matches");

  // Only nodes that something leads to other than freely are kept, each with all that can be reached freely from it.
  const ids = new Map<number, number>();
  const kept: number[] = [];
  const keep = (node: number): number => {
    let id = ids.get(node);
    if (id === undefined) ids.set(node, (id = kept.push(node) - 1));
    return id;
  };
  const starts = new Int32Array(network.starts.length).fill(-1);
  const enter = (rule: number) => {
    if (starts[rule]! < 0) starts[rule] = keep(network.starts[rule]!);
  };
  enter(0);
  const nodes: ProgramNode[] = [];
  let edges = 0;
  for (const node of kept) {
    const bytes = new Map<number, ByteEdge>();
    const calls = new Map<number, Call>();
    const chars = new Map<number, CharEdge>();
    let accepts = false;
    for (const reached of closure(network, node, productive)) {
      accepts ||= ruleOfEnd.has(reached);
      for (const { from, to, target, ofSet } of network.bytes[reached]!) {
        if (!productive[target]) continue;
        const id = keep(target);
        const key = (id * 256 + from) * 256 + to;
        bytes.set(key, { from, to, target: id, ofSet: ofSet && (bytes.get(key)?.ofSet ?? true) });
      }
      for (const { rule, back, ofSet } of network.calls[reached]!) {
        if (!productive[back] || !productive[network.starts[rule]!]) continue;
        enter(rule);
        const id = keep(back);
        calls.set(id * network.starts.length + rule, { rule, back: id, ofSet });
      }
      for (const { set, target } of network.chars[reached]!) {
        if (!productive[target]) continue;
        const id = keep(target);
        chars.set(id * network.sets.length + set, { set, target: id });
      }
    }
    edges += bytes.size + calls.size;
    checkLimit("grammar: edges", edges, MAX_EDGES);
    nodes.push({ bytes: [...bytes.values()], calls: [...calls.values()], chars: [...chars.values()], accepts });
  }
  const order = rankRules(nodes, starts, grammar.names);
  const ranks = new Int32Array(starts.length);
  for (const [rank, rule] of order.entries()) ranks[rule] = rank;
  const { sets } = network;
  const runs = findRuns({ nodes, sets, starts, order });
  return { nodes, starts, ranks, order, ...byteClasses(nodes), sets, runs };
}

/** A rule that can match nothing may be skipped: a free edge beside each of its calls. */
function addEmptyCalls(network: Network, ruleOfEnd: ReadonlyMap<number, number>): void {
  const callers = callersByRule(network);
  const empty = new Uint8Array(network.size); // reached from its rule's start without a byte
  const queue: number[] = [];
  const reach = (node: number) => {
    if (empty[node]) return;
    empty[node] = 1;
    queue.push(node);
  };
  for (const start of network.starts) if (start >= 0) reach(start);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of network.free[node]!) reach(next);
    const rule = ruleOfEnd.get(node);
    for (const { from, back } of rule === undefined ? [] : (callers.get(rule) ?? [])) {
      network.free[from]!.push(back);
      if (empty[from]) reach(back);
    }
  }
}

/** Nodes from which their rule can end. */
function findProductive(network: Network, ruleOfEnd: ReadonlyMap<number, number>): Uint8Array {
  const sources: number[][] = Array.from({ length: network.size }, () => []);
  for (let node = 0; node < network.size; node++) {
    for (const next of network.free[node]!) sources[next]!.push(node);
    for (const { target } of network.bytes[node]!) sources[target]!.push(node);
  }
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

function callersByRule(network: Network): Map<number, { from: number; back: number }[]> {
  const callers = new Map<number, { from: number; back: number }[]>();
  for (const [from, calls] of network.calls.entries()) {
    for (const { rule, back } of calls) {
      const list = callers.get(rule);
      if (list) list.push({ from, back });
      else callers.set(rule, [{ from, back }]);
    }
  }
  return callers;
}

function closure(network: Network, node: number, productive: Uint8Array): Set<number> {
  const seen = new Set([node]);
  for (const reached of seen) {
    spend(1 + network.free[reached]!.length);
    for (const next of network.free[reached]!) if (productive[next]) seen.add(next);
  }
  return seen;
}

/** Topological order of "calls before its first byte" (Kahn 1962): a cycle is left recursion. */
function rankRules(nodes: readonly ProgramNode[], starts: Int32Array, names: readonly string[]): Int32Array {
  const callees = Array.from(starts, (start) => new Set(start < 0 ? [] : nodes[start]!.calls.map(({ rule }) => rule)));
  const waiting = new Int32Array(starts.length);
  for (const set of callees) for (const rule of set) waiting[rule]!++;
  const order = [...waiting.keys()].filter((rule) => waiting[rule] === 0);
  for (const rule of order) for (const callee of callees[rule]!) if (--waiting[callee]! === 0) order.push(callee);
  if (order.length === starts.length) return Int32Array.from(order);
  const cycle = [...waiting.keys()].find((rule) => waiting[rule]! > 0 && onCycle(callees, rule))!;
  throw grammarError(`grammar: expected no left recursion, but rule ${names[cycle] ?? cycle} can begin with itself`);
}

function onCycle(callees: readonly ReadonlySet<number>[], rule: number): boolean {
  const seen = new Set(callees[rule]!);
  for (const reached of seen) for (const next of callees[reached]!) seen.add(next);
  return seen.has(rule);
}

function byteClasses(nodes: readonly ProgramNode[]): { classOf: Uint8Array; bytes: Uint8Array } {
  const border = new Uint8Array(257);
  for (const { bytes } of nodes) {
    for (const { from, to } of bytes) border[from] = border[to + 1] = 1;
  }
  const classOf = new Uint8Array(256);
  const first = [0];
  for (let byte = 1; byte < 256; byte++) {
    if (border[byte]) first.push(byte);
    classOf[byte] = first.length - 1;
  }
  return { classOf, bytes: Uint8Array.from(first) };
}
