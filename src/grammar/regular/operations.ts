/**
 * Regular languages by what they contain, and their intersection and difference.
 * @module
 */
import { checkLimit, MAX_DFA_STATES, spend } from "../limits.ts";
import { ANY_CHAR, pairs } from "./char-set.ts";
import { type Dfa, type Edge, explore, isEmpty, partition, STATE_COST, trim } from "./dfa.ts";
import { patternDfa } from "./nfa.ts";
import { anywhere, parseLookaheads, prefix } from "./pattern.ts";

/** All texts are in this language. */
export const ANY_TEXT: Dfa = lengthDfa(0, Number.POSITIVE_INFINITY);

/**
 * The texts in which a pattern is found, as `RegExp.prototype.test` finds it.
 * @throws NibbleError `invalid_argument` for what is no pattern, or not supported
 */
export function findingDfa(source: string): Dfa {
  const { pattern, ahead } = parseLookaheads(source);
  let dfa = patternDfa(anywhere(pattern));
  for (const { negative, pattern: condition } of ahead) {
    dfa = (negative ? subtractDfa : intersectDfas)(dfa, patternDfa(prefix(condition)));
  }
  return dfa;
}

/** The texts with `min` to `max` characters (code points). */
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

/** The texts that are in both languages. */
export const intersectDfas = (a: Dfa, b: Dfa): Dfa => combine(a, b, (x, y) => x && y);

/** The texts of `a` that are not in `b`. */
export const subtractDfa = (a: Dfa, b: Dfa): Dfa => combine(a, b, (x, y) => x && !y);

/** The product of two automata. State -1 stands for having left an automaton for good. */
function combine(a: Dfa, b: Dfa, accept: (inA: boolean, inB: boolean) => boolean): Dfa {
  return explore<readonly [inA: number, inB: number]>({
    start: [isEmpty(a) ? -1 : 0, isEmpty(b) ? -1 : 0],
    key: (pair) => pair.join(),
    accepts: ([x, y]) => accept(a.accepts[x] ?? false, b.accepts[y] ?? false),
    next: ([x, y]) => {
      // Targets in `a` are even and targets in `b` odd, so that one partition serves both.
      const left = (a.edges[x] ?? []).map((edge) => ({ ...edge, target: edge.target * 2 }));
      const right = (b.edges[y] ?? []).map((edge) => ({ ...edge, target: edge.target * 2 + 1 }));
      spend(STATE_COST + left.length + right.length);
      const side = (targets: readonly number[], bit: number) => {
        const found = targets.find((target) => target % 2 === bit);
        return found === undefined ? -1 : (found - bit) / 2;
      };
      return partition([...left, ...right])
        .map(({ from, to, targets }) => ({ from, to, state: [side(targets, 0), side(targets, 1)] as const }))
        .filter(({ state }) => state[0] >= 0); // both operations want the text in `a`
    },
  });
}
