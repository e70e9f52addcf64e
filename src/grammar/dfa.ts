/**
 * Deterministic automata over characters: regular languages that can be intersected, inverted and counted.
 * @module
 */
import { ANY_CHAR, type CharSet, charSet, pairs } from "./char-set.ts";
import { checkLimit, MAX_DFA_STATES, spend } from "./limits.ts";
import { anywhere, type Pattern, parseLookaheads, prefix } from "./pattern.ts";

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}

/** State 0 is the start. Without states: the empty language. Every state can reach an accepting one. */
export interface Dfa {
  readonly accepts: readonly boolean[];
  /** By state, in order of characters, without overlap. */
  readonly edges: readonly (readonly Edge[])[];
}

const MAX_NFA_NODES = 20_000;
/** What naming a state and finding it costs, in steps. */
const STATE_COST = 8;

/** Nondeterministic: what a pattern is at first. `start` and `end` edges can be passed at the ends of a text only. */
class Nfa {
  readonly free: number[][] = [];
  readonly anchors: { readonly kind: "start" | "end"; readonly target: number }[][] = [];
  readonly edges: { readonly set: CharSet; readonly target: number }[][] = [];

  node(): number {
    checkLimit("pattern: size", this.free.length, MAX_NFA_NODES);
    this.free.push([]);
    this.anchors.push([]);
    return this.edges.push([]) - 1;
  }

  /** Adds a pattern behind a node; gives the node after it. The tree's depth is limited by its parser. */
  add(pattern: Pattern, from: number): number {
    switch (pattern.kind) {
      case "chars": {
        const target = this.node();
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
        for (const part of pattern.parts) {
          const start = this.node();
          this.free[from]!.push(start);
          this.free[this.add(part, start)]!.push(end);
        }
        return end;
      }
      case "repeat":
        return this.#repeat(pattern.part, pattern.min, pattern.max, from);
    }
  }

  #repeat(part: Pattern, min: number, max: number, from: number): number {
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

  /** A node that nothing leads back to. */
  #step(from: number): number {
    const node = this.node();
    this.free[from]!.push(node);
    return node;
  }
}

/** The texts that a pattern matches from their first to their last character. */
export function patternDfa(pattern: Pattern): Dfa {
  const nfa = new Nfa();
  const start = nfa.node();
  const end = nfa.add(pattern, start);
  const closure = (nodes: Iterable<number>, atStart: boolean, atEnd: boolean): number[] => {
    const seen = new Set(nodes);
    for (const node of seen) {
      spend(1 + nfa.free[node]!.length);
      for (const next of nfa.free[node]!) seen.add(next);
      for (const { kind, target } of nfa.anchors[node]!) if (kind === "start" ? atStart : atEnd) seen.add(target);
    }
    return [...seen].sort((a, b) => a - b);
  };
  return explore({
    start: { nodes: closure([start], true, false), first: true },
    key: ({ nodes, first }) => `${first} ${nodes.join()}`,
    accepts: ({ nodes, first }) => closure(nodes, first, true).includes(end),
    next: ({ nodes }) => {
      const out = nodes.flatMap((node) => nfa.edges[node]!);
      spend(STATE_COST + out.reduce((sum, { set }) => sum + set.length, 0));
      const parts = partition(out.flatMap(({ set, target }) => pairs(set).map(([from, to]) => ({ from, to, target }))));
      return parts.map(({ from, to, targets }) => ({
        from,
        to,
        state: { nodes: closure(targets, false, false), first: false },
      }));
    },
  });
}

/** The texts in which a pattern is found. @throws NibbleError `invalid_argument` for what is no pattern, or not supported */
export function findingDfa(source: string): Dfa {
  const { pattern, ahead } = parseLookaheads(source);
  let dfa = patternDfa(anywhere(pattern));
  for (const { negative, pattern: condition } of ahead) {
    dfa = (negative ? subtractDfa : intersectDfas)(dfa, patternDfa(prefix(condition)));
  }
  return dfa;
}

/** Texts with `min` to `max` characters (code points). */
export function lengthDfa(min: number, max: number): Dfa {
  const last = max === Number.POSITIVE_INFINITY ? min : max;
  checkLimit("string: characters that are counted", last, MAX_DFA_STATES - 1);
  const step = (target: number): Edge[] => pairs(ANY_CHAR).map(([from, to]) => ({ from, to, target }));
  const loops = max === Number.POSITIVE_INFINITY;
  return {
    accepts: Array.from({ length: last + 1 }, (_, i) => i >= min),
    edges: Array.from({ length: last + 1 }, (_, i) => (i < last ? step(i + 1) : loops ? step(i) : [])),
  };
}

/** Exactly these texts. */
export function textsDfa(texts: Iterable<string>): Dfa {
  const accepts = [false];
  const children: Map<number, number>[] = [new Map()];
  for (const text of texts) {
    let node = 0;
    for (const char of text) {
      const code = char.codePointAt(0)!;
      let next = children[node]!.get(code);
      if (next === undefined) {
        next = accepts.push(false) - 1;
        checkLimit("texts: characters", next, MAX_DFA_STATES * 16);
        children.push(new Map());
        children[node]!.set(code, next);
      }
      node = next;
    }
    accepts[node] = true;
  }
  const edges = children.map((map) =>
    [...map].sort((a, b) => a[0] - b[0]).map(([code, target]) => ({ from: code, to: code, target })),
  );
  return trim({ accepts, edges });
}

/** Texts in both languages. */
export const intersectDfas = (a: Dfa, b: Dfa): Dfa => combine(a, b, (x, y) => x && y);

/** Texts of `a` that are not in `b`. */
export const subtractDfa = (a: Dfa, b: Dfa): Dfa => combine(a, b, (x, y) => x && !y);

export const isEmpty = (dfa: Dfa): boolean => dfa.accepts.length === 0;

export function matches(dfa: Dfa, text: string): boolean {
  let state = isEmpty(dfa) ? -1 : 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    state = dfa.edges[state]?.find(({ from, to }) => code >= from && code <= to)?.target ?? -1;
  }
  return dfa.accepts[state] ?? false;
}

/** A missing state (-1) is one that accepts nothing any more. */
function combine(a: Dfa, b: Dfa, accept: (inA: boolean, inB: boolean) => boolean): Dfa {
  return explore<readonly [inA: number, inB: number]>({
    start: [isEmpty(a) ? -1 : 0, isEmpty(b) ? -1 : 0],
    key: (pair) => pair.join(),
    accepts: ([x, y]) => accept(a.accepts[x] ?? false, b.accepts[y] ?? false),
    next: ([x, y]) => {
      const left = (a.edges[x] ?? []).map((edge) => ({ ...edge, target: edge.target * 2 }));
      const right = (b.edges[y] ?? []).map((edge) => ({ ...edge, target: edge.target * 2 + 1 }));
      spend(STATE_COST + left.length + right.length);
      const side = (targets: readonly number[], bit: number) => {
        const found = targets.find((target) => target % 2 === bit);
        return found === undefined ? -1 : (found - bit) / 2;
      };
      return partition([...left, ...right])
        .map(({ from, to, targets }) => ({ from, to, state: [side(targets, 0), side(targets, 1)] as const }))
        .filter(({ state }) => state[0] >= 0); // every operation here wants the text in `a`
    },
  });
}

export interface Space<S> {
  readonly start: S;
  key(state: S): string;
  accepts(state: S): boolean;
  next(state: S): readonly { readonly from: number; readonly to: number; readonly state: S }[];
}

/** All states that can be reached, numbered as they are found. */
export function explore<S>({ start, key, accepts, next }: Space<S>): Dfa {
  const states = [start];
  const ids = new Map([[key(start), 0]]);
  const accepting: boolean[] = [];
  const edges: Edge[][] = [];
  for (const state of states) {
    accepting.push(accepts(state));
    edges.push(
      next(state).map(({ from, to, state: target }) => {
        const name = key(target);
        let id = ids.get(name);
        if (id === undefined) {
          id = states.push(target) - 1;
          checkLimit("pattern: states", id, MAX_DFA_STATES);
          ids.set(name, id);
        }
        return { from, to, target: id };
      }),
    );
  }
  return trim({ accepts: accepting, edges });
}

/** Overlapping edges to ranges without overlap, each with all targets. */
function partition(edges: readonly Edge[]): { from: number; to: number; targets: number[] }[] {
  const events = edges
    .flatMap(({ from, to, target }) => [
      { at: from, target, open: true },
      { at: to + 1, target, open: false },
    ])
    .sort((a, b) => a.at - b.at);
  const open = new Map<number, number>();
  const parts: { from: number; to: number; targets: number[] }[] = [];
  for (const [i, { at, target, open: opens }] of events.entries()) {
    const count = (open.get(target) ?? 0) + (opens ? 1 : -1);
    if (count > 0) open.set(target, count);
    else open.delete(target);
    const end = events[i + 1]?.at ?? at;
    if (end > at && open.size > 0) parts.push({ from: at, to: end - 1, targets: [...open.keys()] });
  }
  return parts;
}

/** Without states that cannot reach an accepting one. */
function trim({ accepts, edges }: Dfa): Dfa {
  const sources: number[][] = edges.map(() => []);
  for (const [state, out] of edges.entries()) for (const { target } of out) sources[target]!.push(state);
  const useful = new Set(accepts.flatMap((accepted, state) => (accepted ? [state] : [])));
  for (const state of useful) for (const source of sources[state]!) useful.add(source);
  if (!useful.has(0)) return { accepts: [], edges: [] };
  const kept = [...useful].sort((a, b) => a - b);
  const ids = new Map(kept.map((state, id) => [state, id]));
  return {
    accepts: kept.map((state) => accepts[state]!),
    edges: kept.map((state) =>
      edges[state]!.filter(({ target }) => useful.has(target)).map((edge) => ({
        ...edge,
        target: ids.get(edge.target)!,
      })),
    ),
  };
}

/** Edges of a state, those with the same target together. */
export function edgesByTarget(dfa: Dfa, state: number): [target: number, set: CharSet][] {
  const sets = new Map<number, [number, number][]>();
  for (const { from, to, target } of dfa.edges[state]!) {
    const ranges = sets.get(target);
    if (ranges) ranges.push([from, to]);
    else sets.set(target, [[from, to]]);
  }
  return [...sets].map(([target, ranges]) => [target, charSet(ranges)]);
}
