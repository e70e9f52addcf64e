/**
 * The smallest automaton of a language, by Moore's partition refinement (1956).
 * @module
 */
import { spend } from "../limits.ts";
import { type CharSet, union } from "./char-set.ts";
import { type Dfa, isEmpty } from "./dfa.ts";

/** Larger automata are left as they are: each round looks at all of their edges. */
const MAX_STATES = 128;

/** States from which the same texts lead to an end become one. */
export function minimize(dfa: Dfa): Dfa {
  const { accepts, edges } = dfa;
  if (isEmpty(dfa) || accepts.length > MAX_STATES) return dfa;
  let blocks = accepts.map(Number);
  let count = new Set(blocks).size;
  for (;;) {
    const ids = new Map<string, number>();
    const next = edges.map((_, state) => {
      const key = `${blocks[state]} ${blockKey(dfa, state, blocks)}`;
      if (!ids.has(key)) ids.set(key, ids.size);
      return ids.get(key)!;
    });
    blocks = next;
    if (ids.size === count) break;
    count = ids.size;
  }
  if (count === accepts.length) return dfa;
  // Blocks are numbered in the order of their first states, so the start stays state 0.
  const firsts = Array.from({ length: count }, (_, block) => blocks.indexOf(block));
  return {
    accepts: firsts.map((state) => accepts[state]!),
    edges: firsts.map((state) => [...setsByBlock(dfa, state, blocks)].map(([target, set]) => ({ target, set }))),
  };
}

/** What a state reads, by the block that it leads to; equal for states that agree. */
function blockKey(dfa: Dfa, state: number, blocks: readonly number[]): string {
  const sets = [...setsByBlock(dfa, state, blocks)].sort(([a], [b]) => a - b);
  return sets.map(([block, set]) => `${block}:${set.join()}`).join(";");
}

function setsByBlock({ edges }: Dfa, state: number, blocks: readonly number[]): Map<number, CharSet> {
  const sets = new Map<number, CharSet[]>();
  for (const { set, target } of edges[state]!) {
    spend(1 + (set.length >> 2));
    const block = blocks[target]!;
    const known = sets.get(block);
    if (known) known.push(set);
    else sets.set(block, [set]);
  }
  return new Map([...sets].map(([block, each]) => [block, each.length === 1 ? each[0]! : union(...each)]));
}
