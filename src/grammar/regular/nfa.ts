/**
 * Patterns as nondeterministic automata (Thompson 1968), and their subset construction to deterministic ones.
 * @module
 */
import { checkLimit, spend } from "../limits.ts";
import { type CharSet, pairs } from "./char-set.ts";
import { type Dfa, explore, STATE_COST } from "./dfa.ts";
import type { Pattern } from "./pattern.ts";

const MAX_NFA_NODES = 20_000;

/** `anchors` are free edges that can be passed only at the start, or only at the end, of the text. */
class Nfa {
  readonly free: number[][] = [];
  readonly anchors: { readonly kind: "start" | "end"; readonly target: number }[][] = [];
  readonly edges: { readonly set: CharSet; readonly target: number }[][] = [];
  /** The sets of all edges. */
  readonly sets = new Set<CharSet>();

  node(): number {
    checkLimit("pattern: size", this.free.length, MAX_NFA_NODES);
    this.free.push([]);
    this.anchors.push([]);
    return this.edges.push([]) - 1;
  }

  /** Adds a pattern after the node `from` and returns the node after the pattern. The parser limits the tree's depth. */
  add(pattern: Pattern, from: number): number {
    switch (pattern.kind) {
      case "chars": {
        const target = this.node();
        this.sets.add(pattern.set);
        this.edges[from]!.push({ set: pattern.set, target });
        return target;
      }
      case "start":
      case "end": {
        const target = this.node();
        this.anchors[from]!.push({ kind: pattern.kind, target });
        return target;
      }
      case "sequence":
        return pattern.parts.reduce((node, part) => this.add(part, node), from);
      case "choice": {
        const end = this.node();
        for (const part of pattern.parts) this.free[this.add(part, this.#step(from))]!.push(end);
        return end;
      }
      case "repeat":
        return this.#repeat(pattern, from);
    }
  }

  #repeat({ part, min, max }: Pattern & { kind: "repeat" }, from: number): number {
    for (let i = 0; i < min; i++) from = this.add(part, this.#step(from));
    const end = this.node();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#step(from);
      this.free[this.add(part, loop)]!.push(loop);
      this.free[loop]!.push(end);
      return end;
    }
    for (let i = min; i < max; i++) {
      this.free[from]!.push(end);
      from = this.add(part, this.#step(from));
    }
    this.free[from]!.push(end);
    return end;
  }

  /** A new node after `from` that no other node leads to. */
  #step(from: number): number {
    const node = this.node();
    this.free[from]!.push(node);
    return node;
  }

  /** The nodes that can be reached without reading a character. */
  closure(nodes: Iterable<number>, atStart: boolean, atEnd: boolean): number[] {
    const seen = new Set(nodes);
    for (const node of seen) {
      spend(1 + this.free[node]!.length);
      for (const next of this.free[node]!) seen.add(next);
      for (const { kind, target } of this.anchors[node]!) if (kind === "start" ? atStart : atEnd) seen.add(target);
    }
    return [...seen].sort((a, b) => a - b);
  }
}

/** The texts that a pattern matches from their first to their last character. */
export function patternDfa(pattern: Pattern): Dfa {
  const nfa = new Nfa();
  const start = nfa.node();
  const end = nfa.add(pattern, start);
  const classes = divide(nfa.sets);
  return explore({
    start: { nodes: nfa.closure([start], true, false), first: true },
    key: ({ nodes, first }) => `${first} ${nodes.join()}`,
    accepts: ({ nodes, first }) => nfa.closure(nodes, first, true).includes(end),
    next: ({ nodes }) => {
      const targets = new Map<CharSet, number[]>();
      for (const { set, target } of nodes.flatMap((node) => nfa.edges[node]!)) {
        for (const each of classes.get(set)!) targets.set(each, [...(targets.get(each) ?? []), target]);
      }
      spend(STATE_COST + targets.size);
      return [...targets].map(([set, reached]) => ({
        set,
        state: { nodes: nfa.closure(reached, false, false), first: false },
      }));
    },
  });
}

/** Divides characters into classes that no set tells apart, and gives the classes of each set. */
function divide(sets: ReadonlySet<CharSet>): Map<CharSet, readonly CharSet[]> {
  const events = [...sets]
    .flatMap((set) => pairs(set).flatMap(([from, to]) => [{ at: from, set }, { at: to + 1, set }])) // biome-ignore format: one line
    .sort((a, b) => a.at - b.at);
  spend(events.length);
  const open = new Set<CharSet>();
  const numbers = new Map([...sets].map((set, number) => [set, number]));
  const classes = new Map<string, { ranges: number[]; sets: CharSet[] }>();
  for (const [i, { at, set }] of events.entries()) {
    if (!open.delete(set)) open.add(set);
    const end = events[i + 1]?.at ?? at;
    if (end === at || open.size === 0) continue;
    const members = [...open];
    const key = members.map((each) => numbers.get(each)!).sort().join(); // biome-ignore format: one line
    const known = classes.get(key);
    if (known) known.ranges.push(at, end - 1);
    else classes.set(key, { ranges: [at, end - 1], sets: members });
  }
  const classesOf = new Map<CharSet, CharSet[]>([...sets].map((set) => [set, []]));
  for (const { ranges, sets: members } of classes.values()) for (const set of members) classesOf.get(set)!.push(ranges);
  return classesOf;
}
