/**
 * Finds where a grammar reads runs of characters of an alphabet. Tokens of such an alphabet need no walk, only their
 * length (`matcher/token-runs.ts`); they are most of a vocabulary.
 * @module
 */
import { spend } from "../limits.ts";
import type { CharSet } from "../regular/char-set.ts";
import { Alphabet, type ByteSet, chooseAlphabets } from "./alphabet.ts";
import { type CompiledGrammar, type GrammarNode, MAX_RUN, type Runs } from "./compiled-grammar.ts";

/** If at most this many lengths are undecided, a better alphabet is not looked for. */
const SMALL_GAP = 2;
/** Rounds until the lengths no longer change; a string with counted characters takes two or three. */
const MAX_ROUNDS = 12;

interface Compiled extends Pick<CompiledGrammar, "nodes" | "starts" | "order"> {
  /** The sets that character edges read. */
  readonly sets: readonly CharSet[];
}

export function findRuns(grammar: Compiled): Runs {
  const { nodes, sets } = grammar;
  const alphabetOf = new Int8Array(nodes.length).fill(-1);
  const all = new Uint8Array(nodes.length);
  const some = new Uint8Array(nodes.length);
  const gaps = new Uint8Array(nodes.length).fill(MAX_RUN);
  const alphabets = chooseAlphabets(nodes, sets);
  const others = otherStarts(grammar);
  const ending = endingNodes(grammar);
  const sources: number[][] = nodes.map(() => []);
  for (const [node, { chars }] of nodes.entries()) for (const { target } of chars) sources[target]!.push(node);
  for (const [index, set] of alphabets.entries()) {
    const alphabet = new Alphabet(set, sets);
    const mixed = others.map((bytes) => bytes !== undefined && alphabet.begins(bytes));
    const { shortest, longest } = measure(nodes, { alphabet, mixed, ending, sources });
    for (const node of nodes.keys()) {
      const any = shortest[node] === MAX_RUN;
      const known = any || (shortest[node]! > 0 && longest[node]! < MAX_RUN);
      const gap = any ? 0 : Math.max(SMALL_GAP, longest[node]! - shortest[node]!);
      if (!known || gap >= gaps[node]!) continue;
      gaps[node] = gap;
      alphabetOf[node] = index;
      all[node] = shortest[node]!;
      some[node] = any ? MAX_RUN : longest[node]!;
    }
  }
  return { alphabets, alphabetOf, all, some };
}

interface Surroundings {
  readonly alphabet: Alphabet;
  /** For each node whether a byte that begins a character of the alphabet may begin something else, too. */
  readonly mixed: readonly boolean[];
  /** 1 for nodes where the rule may end and something can follow. */
  readonly ending: Uint8Array;
  /** For each node the nodes with a character edge to it. */
  readonly sources: readonly (readonly number[])[];
}

/**
 * For each node the length up to which every text of the alphabet can be read, and the length beyond which none can.
 * Both begin as "any" and are lowered until nothing changes, so that loops keep "any".
 */
function measure(
  nodes: readonly GrammarNode[],
  { alphabet, mixed, ending, sources }: Surroundings,
): { shortest: Uint8Array; longest: Uint8Array } {
  const shortest = new Uint8Array(nodes.length).fill(MAX_RUN);
  const longest = new Uint8Array(nodes.length).fill(MAX_RUN);
  const longer = (length: number) => Math.min(length + 1, MAX_RUN);
  const measureNode = (node: number): [short: number, long: number] => {
    const { chars } = nodes[node]!;
    spend(1);
    const best = chars.length < 2 ? chars : [...chars].sort((a, b) => shortest[b.target]! - shortest[a.target]!);
    const ids: number[] = [];
    let short = 0;
    let long = mixed[node] ? MAX_RUN : 0;
    for (const { set, target } of best) {
      if (!alphabet.meets(set)) continue;
      long = Math.max(long, ending[target] ? MAX_RUN : longer(longest[target]!));
      if (short > 0) continue;
      ids.push(set);
      if (alphabet.isIn(ids)) short = longer(shortest[target]!);
    }
    return [short, long];
  };
  const isOpen = new Uint8Array(nodes.length).fill(1); // nodes to measure
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    // From the last node to the first, since a counted text goes on at nodes with higher numbers.
    for (let node = nodes.length - 1; node >= 0; node--) {
      if (!isOpen[node]) continue;
      isOpen[node] = 0;
      const [short, long] = measureNode(node);
      if (short === shortest[node] && long === longest[node]) continue;
      changed = true;
      for (const source of sources[node]!) isOpen[source] = 1;
      shortest[node] = short;
      longest[node] = long;
    }
    if (!changed) return { shortest, longest };
  }
  return { shortest: new Uint8Array(nodes.length), longest };
}

/** For each node the bytes that begin something other than a character of its character edges. */
function otherStarts({ nodes, starts, order }: Compiled): (ByteSet | undefined)[] {
  const ofRule: (ByteSet | undefined)[] = [];
  const others: (ByteSet | undefined)[] = [];
  const collect = (node: number, all: boolean): ByteSet | undefined => {
    let found: ByteSet | undefined;
    for (const { from, to, ofSet } of nodes[node]!.bytes) {
      if (ofSet && !all) continue;
      found ??= new Uint32Array(8);
      for (let byte = from; byte <= to; byte++) found[byte >> 5]! |= 1 << (byte & 31);
    }
    for (const { rule, ofSet } of nodes[node]!.calls) {
      const begins = ofSet && !all ? others[starts[rule]!] : ofRule[rule];
      spend(1);
      if (!begins) continue;
      found ??= new Uint32Array(8);
      for (const [i, bits] of begins.entries()) found[i]! |= bits;
    }
    return found;
  };
  // Callees have higher ranks than their callers, so they come first.
  for (const rule of order.toReversed()) {
    if (starts[rule]! < 0) continue;
    ofRule[rule] = collect(starts[rule]!, true);
    others[starts[rule]!] = collect(starts[rule]!, false);
  }
  for (const node of nodes.keys()) others[node] ??= collect(node, false);
  return others;
}

/** Marks the nodes where a rule may end and something can follow. The root's do not count unless some rule calls it. */
function endingNodes({ nodes, starts }: Compiled): Uint8Array {
  const ending = Uint8Array.from(nodes, ({ accepts }) => Number(accepts));
  if (nodes.some(({ calls }) => calls.some(({ rule }) => rule === 0))) return ending;
  const root = new Set([starts[0]!]);
  for (const node of root) {
    ending[node] = 0;
    for (const { target } of nodes[node]!.bytes) root.add(target);
    for (const { target } of nodes[node]!.tokens) root.add(target);
    for (const { back } of nodes[node]!.calls) root.add(back);
  }
  return ending;
}
