/**
 * Regular languages by what they contain, and their intersection and difference.
 * @module
 */
import { checkLimit, MAX_DFA_STATES, spend } from "../limits.ts";
import { ANY_CHAR, type CharSet, complement, intersect, union } from "./char-set.ts";
import { type Dfa, type Edge, explore, isEmpty, STATE_COST, trim } from "./dfa.ts";

/** All texts are in this language. */
export const ANY_TEXT: Dfa = lengthDfa(0, Number.POSITIVE_INFINITY);

/** The texts with `min` to `max` characters (code points). */
export function lengthDfa(min: number, max: number): Dfa {
  const last = max === Number.POSITIVE_INFINITY ? min : max;
  checkLimit("string: characters that are counted", last, MAX_DFA_STATES - 1);
  const step = (target: number): Edge[] => [{ set: ANY_CHAR, target }];
  const loops = max === Number.POSITIVE_INFINITY;
  return {
    accepts: Array.from({ length: last + 1 }, (_, i) => i >= min),
    edges: Array.from({ length: last + 1 }, (_, i) => (i < last ? step(i + 1) : loops ? step(i) : [])),
  };
}

/** The lengths of the shortest and the longest text of a language that is not empty. */
export function lengths({ accepts, edges }: Dfa): { min: number; max: number } {
  let states = new Set([0]);
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (let length = 0; states.size > 0; length++) {
    spend(states.size);
    if (length >= accepts.length) return { min, max: Number.POSITIVE_INFINITY };
    if ([...states].some((state) => accepts[state])) [min, max] = [Math.min(min, length), length];
    states = new Set([...states].flatMap((state) => edges[state]!.map(({ target }) => target)));
  }
  return { min, max };
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
  const edges = children.map((map) => [...map].map(([code, target]) => ({ set: [code, code], target })));
  return trim({ accepts, edges });
}

/** The texts that are in both languages. */
export const intersectDfas = (a: Dfa, b: Dfa): Dfa => new Product(a, b, false).dfa();

/** The texts of `a` that are not in `b`. */
export const subtractDfa = (a: Dfa, b: Dfa): Dfa => new Product(a, b, true).dfa();

/** The product of two automata: texts of `a` that are in `b`, or that are not in `b`. */
class Product {
  readonly #a: Dfa;
  readonly #b: Dfa;
  readonly #isDifference: boolean;
  /** The intersections of sets of `a` with sets of `b`, and (in `#rest`) what no edge of a state of `b` reads. */
  readonly #common = new Map<CharSet, Map<CharSet, CharSet>>();
  readonly #rest = new Map<CharSet, Map<readonly Edge[], CharSet>>();

  constructor(a: Dfa, b: Dfa, isDifference: boolean) {
    this.#a = a;
    this.#b = b;
    this.#isDifference = isDifference;
  }

  /** State -1 of `b` stands for a text that `b` can no longer accept. */
  dfa(): Dfa {
    if (isEmpty(this.#a)) return this.#a;
    return explore<readonly [inA: number, inB: number]>({
      start: [0, isEmpty(this.#b) ? -1 : 0],
      key: (pair) => pair.join(),
      accepts: ([x, y]) => this.#a.accepts[x]! && (this.#b.accepts[y] ?? false) !== this.#isDifference,
      next: ([x, y]) => {
        spend(STATE_COST);
        return this.#a.edges[x]!.flatMap((edge) => this.#next(edge, this.#b.edges[y]));
      },
    });
  }

  #next({ set, target }: Edge, edges: readonly Edge[] | undefined) {
    spend(1 + (edges?.length ?? 0));
    const left = this.#isDifference ? this.#without(set, edges ?? []) : [];
    return [
      ...(edges ?? []).map((edge) => ({ set: this.#both(set, edge.set), state: [target, edge.target] as const })),
      { set: left, state: [target, -1] as const },
    ].filter((next) => next.set.length > 0);
  }

  #both(a: CharSet, b: CharSet): CharSet {
    return memo(this.#common, a, b, () => {
      spend((a.length + b.length) >> 2);
      return intersect(a, b);
    });
  }

  #without(set: CharSet, edges: readonly Edge[]): CharSet {
    if (edges.length === 0) return set;
    return memo(this.#rest, set, edges, () => {
      const others = union(...edges.map((edge) => edge.set));
      spend((set.length + others.length) >> 2);
      return intersect(set, complement(others));
    });
  }
}

function memo<A, B, C>(known: Map<A, Map<B, C>>, a: A, b: B, compute: () => C): C {
  let row = known.get(a);
  if (!row) known.set(a, (row = new Map()));
  let value = row.get(b);
  if (value === undefined) row.set(b, (value = compute()));
  return value;
}
