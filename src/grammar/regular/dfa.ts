/**
 * Deterministic automata over characters (code points): regular languages.
 * @module
 */
import { checkLimit, MAX_DFA_STATES } from "../limits.ts";
import { type CharSet, charSet } from "./char-set.ts";

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}

/** State 0 is the start. The empty language has no states. Every state can reach an accepting one. */
export interface Dfa {
  readonly accepts: readonly boolean[];
  /** The edges of each state, sorted by character and without overlap. */
  readonly edges: readonly (readonly Edge[])[];
}

/** What naming a state and finding it again costs, in steps. */
export const STATE_COST = 8;

export const isEmpty = (dfa: Dfa): boolean => dfa.accepts.length === 0;

/** Whether a text is in the language. */
export function matches(dfa: Dfa, text: string): boolean {
  let state = isEmpty(dfa) ? -1 : 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    state = dfa.edges[state]?.find(({ from, to }) => code >= from && code <= to)?.target ?? -1;
  }
  return dfa.accepts[state] ?? false;
}

/** An automaton that is described by its states instead of being listed. */
export interface Space<S> {
  readonly start: S;
  /** Equal for equal states. */
  key(state: S): string;
  accepts(state: S): boolean;
  next(state: S): readonly { readonly from: number; readonly to: number; readonly state: S }[];
}

/** Lists all states that can be reached, numbered in the order in which they are found. */
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

/** Splits overlapping edges into ranges that do not overlap, each with all of its targets. */
export function partition(edges: readonly Edge[]): { from: number; to: number; targets: number[] }[] {
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

/** Leaves out the states that cannot reach an accepting one. */
export function trim({ accepts, edges }: Dfa): Dfa {
  const sources: number[][] = edges.map(() => []);
  for (const [state, out] of edges.entries()) for (const { target } of out) sources[target]!.push(state);
  const useful = new Set(accepts.flatMap((accepted, state) => (accepted ? [state] : [])));
  for (const state of useful) for (const source of sources[state]!) useful.add(source);
  if (!useful.has(0)) return { accepts: [], edges: [] };
  const kept = [...useful].sort((a, b) => a - b);
  const ids = new Map(kept.map((state, id) => [state, id]));
  const keptEdges = (state: number) =>
    edges[state]!.filter(({ target }) => useful.has(target)).map((edge) => ({
      ...edge,
      target: ids.get(edge.target)!,
    }));
  return { accepts: kept.map((state) => accepts[state]!), edges: kept.map(keptEdges) };
}

/** The edges of a state as one character set per target. */
export function edgesByTarget(dfa: Dfa, state: number): [target: number, set: CharSet][] {
  const sets = new Map<number, [number, number][]>();
  for (const { from, to, target } of dfa.edges[state]!) {
    const ranges = sets.get(target);
    if (ranges) ranges.push([from, to]);
    else sets.set(target, [[from, to]]);
  }
  return [...sets].map(([target, ranges]) => [target, charSet(ranges)]);
}
