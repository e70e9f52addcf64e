/**
 * Patterns as deterministic automata, by the subset construction.
 *
 * A lookahead is a demand on the rest of the text, which an automaton of its own reads beside the pattern. So a thread is
 * a node of the pattern together with the states of the automata whose demands it has met on its way.
 * @module
 */
import { spend } from "../limits.ts";
import { ANY_CHAR, type CharSet, contains, pairs } from "./char-set.ts";
import { type Dfa, explore, isEmpty, STATE_COST } from "./dfa.ts";
import { type Lookahead, Nfa } from "./nfa.ts";
import { ANY_TEXT, subtractDfa } from "./operations.ts";
import { anywhere, type Pattern, parsePattern, prefix } from "./pattern.ts";

/** A state of a lookahead's automaton. The rest of the text must lead it to an accepting state. */
interface Demand {
  readonly dfa: Dfa;
  readonly state: number;
  /** Equal for equal demands. */
  readonly key: string;
}

interface Thread {
  readonly node: number;
  /** Sorted by key. */
  readonly demands: readonly Demand[];
}

/** The texts that a pattern matches from their first to their last character. */
export const patternDfa = (pattern: Pattern): Dfa => new SubsetConstruction(pattern, true).dfa();

/**
 * The texts in which a pattern is found, as `RegExp.prototype.test` finds it.
 * @throws NibbleError `invalid_argument` for what is no pattern, or not supported
 */
export const findingDfa = (source: string): Dfa => patternDfa(anywhere(parsePattern(source)));

class SubsetConstruction {
  readonly #nfa = new Nfa();
  readonly #end: number;
  /** Whether the pattern begins at the start of the text. */
  readonly #atStart: boolean;
  /** The automata of lookaheads, at the start of the text and after it. */
  readonly #automata = new Map<Lookahead, { readonly first: Dfa; readonly later: Dfa }>();
  readonly #names = new Map<Dfa, number>();

  constructor(pattern: Pattern, atStart: boolean) {
    this.#atStart = atStart;
    this.#end = this.#nfa.add(pattern, this.#nfa.node());
    for (const { guard } of this.#nfa.guarded.flat()) if (typeof guard === "object") this.#addLookahead(guard);
  }

  dfa(): Dfa {
    const classes = divide(this.#nfa.sets);
    return explore<{ threads: readonly Thread[]; first: boolean }>({
      start: { threads: this.#closure([{ node: 0, demands: [] }], this.#atStart, false), first: this.#atStart },
      key: ({ threads, first }) => `${first} ${threads.map(threadKey).join()}`,
      accepts: ({ threads, first }) =>
        this.#closure(threads, first, true).some(
          ({ node, demands }) => node === this.#end && demands.every(({ dfa, state }) => dfa.accepts[state]),
        ),
      next: ({ threads }) => {
        const reached = new Map<CharSet, Thread[]>();
        for (const { node, demands } of threads) {
          for (const { set, target } of this.#nfa.edges[node]!) {
            for (const each of classes.get(set)!) {
              const next = this.#read(demands, each);
              if (next) reached.set(each, [...(reached.get(each) ?? []), { node: target, demands: next }]);
            }
          }
        }
        spend(STATE_COST + reached.size);
        return [...reached].map(([set, next]) => ({
          set,
          state: { threads: this.#closure(next, false, false), first: false },
        }));
      },
    });
  }

  #addLookahead(lookahead: Lookahead): void {
    if (this.#automata.has(lookahead)) return;
    const build = (atStart: boolean): Dfa => {
      const found = new SubsetConstruction(prefix(lookahead.pattern), atStart).dfa();
      const dfa = lookahead.negative ? subtractDfa(ANY_TEXT, found) : found;
      this.#names.set(dfa, this.#names.size);
      // The classes of characters must tell apart what the automaton tells apart.
      for (const { set } of dfa.edges.flat()) this.#nfa.sets.add(set);
      return dfa;
    };
    this.#automata.set(lookahead, { first: build(true), later: build(false) });
  }

  /** The threads that are reached without reading a character. */
  #closure(threads: readonly Thread[], atStart: boolean, atEnd: boolean): Thread[] {
    const seen = new Map<string | number, Thread>(threads.map((thread) => [threadKey(thread), thread]));
    const add = (node: number, demands: readonly Demand[]) => {
      const thread = { node, demands };
      const key = threadKey(thread);
      if (!seen.has(key)) seen.set(key, thread);
    };
    for (const { node, demands } of seen.values()) {
      spend(1 + this.#nfa.free[node]!.length + demands.length);
      for (const next of this.#nfa.free[node]!) add(next, demands);
      for (const { guard, target } of this.#nfa.guarded[node]!) {
        if (typeof guard === "object") {
          const { first, later } = this.#automata.get(guard)!;
          const dfa = atStart ? first : later;
          if (!isEmpty(dfa)) add(target, withDemand(demands, this.#demand(dfa, 0)));
        } else if (guard === "start" ? atStart : atEnd) add(target, demands);
      }
    }
    return [...seen.values()].sort((a, b) => a.node - b.node || (String(threadKey(a)) < String(threadKey(b)) ? -1 : 1));
  }

  #demand(dfa: Dfa, state: number): Demand {
    return { dfa, state, key: `${this.#names.get(dfa)}:${state}` };
  }

  /** The demands after a character of a class; undefined if one of them can no longer be met. */
  #read(demands: readonly Demand[], characters: CharSet): readonly Demand[] | undefined {
    let next: readonly Demand[] = [];
    for (const { dfa, state } of demands) {
      const edge = dfa.edges[state]!.find(({ set }) => contains(set, characters[0]!));
      if (!edge) return undefined;
      if (!acceptsEverything(dfa, edge.target)) next = withDemand(next, this.#demand(dfa, edge.target));
    }
    return next;
  }
}

const threadKey = ({ node, demands }: Thread): string | number =>
  demands.length === 0 ? node : `${node} ${demands.map(({ key }) => key).join(" ")}`;

function withDemand(demands: readonly Demand[], demand: Demand): readonly Demand[] {
  if (demands.some(({ key }) => key === demand.key)) return demands;
  return [...demands, demand].sort((a, b) => (a.key < b.key ? -1 : 1));
}

const universal = new WeakMap<Dfa, ReadonlySet<number>>();

/** Whether every rest of a text is accepted from a state on. */
function acceptsEverything(dfa: Dfa, state: number): boolean {
  let states = universal.get(dfa);
  if (!states) {
    const size = (set: CharSet) => pairs(set).reduce((sum, [from, to]) => sum + to - from + 1, 0);
    const covers = (edges: Dfa["edges"][number]) =>
      edges.reduce((sum, { set }) => sum + size(set), 0) === size(ANY_CHAR);
    const found = new Set(dfa.edges.keys());
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      for (const each of found) {
        const edges = dfa.edges[each]!;
        if (!dfa.accepts[each] || !covers(edges) || edges.some(({ target }) => !found.has(target))) found.delete(each);
      }
    }
    universal.set(dfa, (states = found));
  }
  return states.has(state);
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
