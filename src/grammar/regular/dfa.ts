/**
 * Deterministic automata over characters (code points): regular languages.
 * @module
 */
import { checkLimit, MAX_DFA_STATES } from "../limits.ts";
import { type CharSet, contains, union } from "./char-set.ts";

/** Reads one character of a set. */
export interface Edge {
  readonly set: CharSet;
  readonly target: number;
}

/** State 0 is the start. The empty language has no states. Every state can reach an accepting one. */
export interface Dfa {
  readonly accepts: readonly boolean[];
  /** The edges of each state, one per target. Their sets have no character in common. */
  readonly edges: readonly (readonly Edge[])[];
}

/** The cost of naming a state and finding it again, in steps. */
export const STATE_COST = 8;

export const isEmpty = (dfa: Dfa): boolean => dfa.accepts.length === 0;

/** Whether a text is in the language. */
export function matches(dfa: Dfa, text: string): boolean {
  let state = isEmpty(dfa) ? -1 : 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    state = dfa.edges[state]?.find(({ set }) => contains(set, code))?.target ?? -1;
  }
  return dfa.accepts[state] ?? false;
}

/** An automaton that is described by its states instead of being listed. */
export interface Space<S> {
  readonly start: S;
  /** Equal for equal states. */
  key(state: S): string;
  accepts(state: S): boolean;
  /** The sets must have no character in common. */
  next(state: S): readonly { readonly set: CharSet; readonly state: S }[];
}

/** Lists all states that can be reached, numbered in the order in which they are found. */
export function explore<S>({ start, key, accepts, next }: Space<S>): Dfa {
  const states = [start];
  const ids = new Map([[key(start), 0]]);
  const accepting: boolean[] = [];
  const edges: Edge[][] = [];
  const number = (state: S): number => {
    const name = key(state);
    let id = ids.get(name);
    if (id === undefined) {
      id = states.push(state) - 1;
      checkLimit("pattern: states", id, MAX_DFA_STATES);
      ids.set(name, id);
    }
    return id;
  };
  for (const state of states) {
    accepting.push(accepts(state));
    const sets = new Map<number, CharSet[]>();
    for (const { set, state: target } of next(state)) {
      const id = number(target);
      const known = sets.get(id);
      if (known) known.push(set);
      else sets.set(id, [set]);
    }
    edges.push([...sets].map(([target, each]) => ({ target, set: each.length === 1 ? each[0]! : union(...each) })));
  }
  return trim({ accepts: accepting, edges });
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
    edges[state]!.filter(({ target }) => useful.has(target)).map(({ set, target }) => ({
      set,
      target: ids.get(target)!,
    }));
  return { accepts: kept.map((state) => accepts[state]!), edges: kept.map(keptEdges) };
}
