/**
 * Which tokens may come inside an item of a list whose items must differ (`uniqueItems`).
 * @module
 */
import type { Matcher } from "./matcher.ts";
import type { Frame, State } from "./state.ts";
import { latin1, pathDown, pathTo, type TokenTrie, tokensAt } from "./token-trie.ts";

/** The rests of earlier items that begin like the current one. The current item must not continue with one of them. */
export function restsOf({ frames }: Frame, trail: string): string[] {
  const [first, ...others] = frames.map(({ taken }) => taken?.texts ?? new Set<string>());
  const everywhere = [...first!].filter((text) => others.every((texts) => texts.has(text)));
  return everywhere.filter((text) => text.startsWith(trail)).map((text) => text.slice(trail.length));
}

/** The tokens that may come in an item, and the nodes where the item may end. */
interface Allowed {
  readonly mask: Uint32Array;
  /** Nodes of a tree where the item may end. */
  readonly exits: readonly number[];
  readonly trie: TokenTrie;
}

interface Item {
  readonly matcher: Matcher;
  /** The tree of the whole vocabulary. */
  readonly trie: TokenTrie;
  /** The nodes of the item's rule. */
  readonly nodes: readonly number[];
  readonly rests: readonly string[];
}

/** Removes the tokens after which an item could only become one that is there already. */
export function withoutRepeats<T extends Allowed>(allowed: T, { matcher, trie, nodes, rests }: Item): T {
  if (rests.length === 0) return allowed;
  const start = outermostState(matcher, nodes);
  const mask = allowed.mask.slice();
  for (const rest of rests) {
    for (const [depth, node] of pathDown(trie, rest).entries()) {
      const state = matcher.readOn(start, pathTo(trie, node));
      if (leadsToOther(matcher, state, restsAfter(rests, rest.slice(0, depth + 1)))) continue;
      for (const id of tokensAt(trie, node)) mask[id >> 5]! &= ~(1 << (id & 31));
    }
  }
  const exits = allowed.exits.filter((exit) => !rests.includes(latin1(pathTo(allowed.trie, exit))));
  return { ...allowed, mask, exits };
}

/** The state of nodes of a rule as if nothing stood around the rule. */
const outermostState = (matcher: Matcher, nodes: readonly number[]): State =>
  matcher.closure(
    nodes,
    nodes.map(() => matcher.outermost),
  );

/** Whether the current item of a state, if there is one, can still become different from those before it. */
export function mayDiffer(matcher: Matcher, state: State): boolean {
  const { nodes, frames, trail } = state;
  // Outside items nothing is compared. Inside a character or an escape, different bytes may still follow.
  if (trail === undefined || frames.some(({ isItem }) => !isItem)) return !matcher.isDead(state);
  return nodes.some((node, i) => {
    const rule = outermostState(matcher, [node]);
    return leadsToOther(matcher, rule, restsOf(frames[i]!, trail));
  });
}

/** Whether a text other than the rests leads from a state to the end of the item. */
function leadsToOther(matcher: Matcher, state: State, rests: readonly string[]): boolean {
  if (matcher.isDead(state)) return false;
  if (rests.length === 0 || (state.mayEnd && !rests.includes(""))) return true;
  for (let byte = 0; byte < 256; byte++) {
    const next = matcher.readOn(state, Uint8Array.of(byte));
    if (leadsToOther(matcher, next, restsAfter(rests, String.fromCharCode(byte)))) return true;
  }
  return false;
}

const restsAfter = (rests: readonly string[], read: string): string[] =>
  rests.filter((rest) => rest.startsWith(read)).map((rest) => rest.slice(read.length));
