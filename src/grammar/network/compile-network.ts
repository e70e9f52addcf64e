/**
 * Compiles a grammar: the network without free edges, dead ends and left recursion.
 * @module
 */
import type { Grammar } from "../expression.ts";
import { checkLimit, grammarError, MAX_EDGES, MAX_RULES } from "../limits.ts";
import type { ByteEdge, Call, CharEdge, CompiledGrammar, GrammarNode, TokenEdge } from "./compiled-grammar.ts";
import { Network } from "./network.ts";
import { rankRules } from "./ranks.ts";
import { addEmptyCalls, findProductive, freeClosure } from "./reachability.ts";
import { findRuns } from "./runs.ts";

/**
 * @throws NibbleError `invalid_argument` if the grammar is too large, is left-recursive, or matches no text
 */
export function compileNetwork(grammar: Grammar): CompiledGrammar {
  checkLimit("grammar: rules", grammar.rules.length, MAX_RULES);
  const network = new Network(grammar);
  const ruleOfEnd = new Map(network.ends.flatMap((end, rule) => (end < 0 ? [] : [[end, rule]])));
  addEmptyCalls(network, ruleOfEnd);
  const productive = findProductive(network, ruleOfEnd);
  if (!productive[network.starts[0]!])
    throw grammarError("grammar: it must match at least one text, but it matches none");
  const { nodes, starts } = new FreeEdgeRemoval(network, ruleOfEnd, productive);
  const order = rankRules(nodes, starts, grammar.names);
  const ranks = new Int32Array(starts.length);
  for (const [rank, rule] of order.entries()) ranks[rule] = rank;
  const runs = findRuns({ nodes, sets: network.sets, starts, order });
  const unique = grammar.unique && grammar.unique.lists.size > 0 ? grammar.unique : undefined;
  return { nodes, starts, ranks, order, ...byteClasses(nodes, unique !== undefined), runs, unique };
}

/**
 * Keeps the nodes that a byte edge, a token edge or a call leads to, and gives each all edges of the nodes that it reaches freely.
 */
class FreeEdgeRemoval {
  readonly nodes: GrammarNode[] = [];
  readonly starts: Int32Array;
  readonly #network: Network;
  readonly #ruleOfEnd: ReadonlyMap<number, number>;
  readonly #productive: Uint8Array;
  /** New numbers of the nodes that are kept. */
  readonly #ids = new Map<number, number>();
  readonly #kept: number[] = [];

  constructor(network: Network, ruleOfEnd: ReadonlyMap<number, number>, productive: Uint8Array) {
    this.#network = network;
    this.#ruleOfEnd = ruleOfEnd;
    this.#productive = productive;
    this.starts = new Int32Array(network.starts.length).fill(-1);
    this.#enter(0);
    let edges = 0;
    for (const node of this.#kept) {
      const merged = this.#merge(node);
      edges += merged.bytes.length + merged.calls.length + merged.tokens.length;
      checkLimit("grammar: edges", edges, MAX_EDGES);
      this.nodes.push(merged);
    }
  }

  #keep(node: number): number {
    let id = this.#ids.get(node);
    if (id === undefined) this.#ids.set(node, (id = this.#kept.push(node) - 1));
    return id;
  }

  #enter(rule: number): void {
    if (this.starts[rule]! < 0) this.starts[rule] = this.#keep(this.#network.starts[rule]!);
  }

  /** One node with the edges of all nodes that are reached freely from it. */
  #merge(node: number): GrammarNode {
    const network = this.#network;
    const bytes = new Map<number, ByteEdge>();
    const calls = new Map<number, Call>();
    const chars = new Map<number, CharEdge>();
    const tokens: TokenEdge[] = [];
    let accepts = false;
    for (const reached of freeClosure(network, node, this.#productive)) {
      accepts ||= this.#ruleOfEnd.has(reached);
      for (const { from, to, target, ofSet } of network.bytes[reached]!) {
        if (!this.#productive[target]) continue;
        const id = this.#keep(target);
        const key = (id * 256 + from) * 256 + to;
        bytes.set(key, { from, to, target: id, ofSet: ofSet && (bytes.get(key)?.ofSet ?? true) });
      }
      for (const { rule, back, ofSet } of network.calls[reached]!) {
        if (!this.#productive[back] || !this.#productive[network.starts[rule]!]) continue;
        this.#enter(rule);
        const id = this.#keep(back);
        calls.set(id * network.starts.length + rule, { rule, back: id, ofSet });
      }
      for (const { id, negated, target } of network.tokens[reached]!) {
        if (this.#productive[target]) tokens.push({ id, negated, target: this.#keep(target) });
      }
      for (const { set, target } of network.chars[reached]!) {
        if (!this.#productive[target]) continue;
        const id = this.#keep(target);
        chars.set(id * network.sets.length + set, { set, target: id });
      }
    }
    return { bytes: [...bytes.values()], calls: [...calls.values()], tokens, chars: [...chars.values()], accepts };
  }
}

/** @param all every byte is a class of its own, since texts are compared */
function byteClasses(nodes: readonly GrammarNode[], all: boolean): { classOf: Uint8Array; classBytes: Uint8Array } {
  /** 1 for bytes that begin a class. */
  const border = new Uint8Array(257).fill(Number(all));
  for (const { bytes } of nodes) {
    for (const { from, to } of bytes) border[from] = border[to + 1] = 1;
  }
  const classOf = new Uint8Array(256);
  const first = [0];
  for (let byte = 1; byte < 256; byte++) {
    if (border[byte]) first.push(byte);
    classOf[byte] = first.length - 1;
  }
  return { classOf, classBytes: Uint8Array.from(first) };
}
