/**
 * Which nodes of a grammar read any text of an alphabet, and how long it may be: the insides of strings. Tokens of such
 * an alphabet need no walk, only their length (`token-runs.ts`); they are most of a vocabulary.
 * @module
 */
import { type CharSet, intersect, pairs, union, utf8Sequences } from "./char-set.ts";
import { spend } from "./limits.ts";
import type { Program } from "./program.ts";

export interface Runs {
  readonly alphabets: readonly CharSet[];
  /** By node: the alphabet that leaves the fewest texts open, or -1. */
  readonly alphabetOf: Int8Array;
  /** By node: all texts of its alphabet with up to so many characters can be read. `MAX_RUN`: all in a vocabulary. */
  readonly all: Uint8Array;
  /** By node: no text with more characters can be read, and where that matters the rule does not end inside of one. */
  readonly some: Uint8Array;
}

/** Characters of a token that are counted. */
export const MAX_RUN = 255;
const MAX_ALPHABETS = 6;
/** Smaller alphabets have few tokens, and their walks end soon. */
const MIN_CHARS = 20;
/** Lengths that leave open whether a text can be read: so many do not matter. */
const SMALL_GAP = 2;
/** Rounds until lengths settle; a counted string takes two or three. */
const MAX_ROUNDS = 12;

type Edges = Pick<Program, "nodes" | "sets" | "starts" | "order">;

export function findRuns(program: Edges): Runs {
  const { nodes, sets } = program;
  const alphabetOf = new Int8Array(nodes.length).fill(-1);
  const all = new Uint8Array(nodes.length);
  const some = new Uint8Array(nodes.length);
  const gaps = new Uint8Array(nodes.length).fill(MAX_RUN);
  const alphabets = chooseAlphabets(program);
  const others = otherStarts(program);
  const ending = endingNodes(program);
  for (const [index, alphabet] of alphabets.entries()) {
    const letters = new Alphabet(alphabet, sets);
    const free = others.map((bytes) => bytes !== undefined && letters.begins(bytes));
    const { shortest, longest } = measure(program, letters, free, ending);
    for (const node of nodes.keys()) {
      const any = shortest[node] === MAX_RUN;
      const known = any || (shortest[node]! > 0 && longest[node]! < MAX_RUN);
      const gap = any ? 0 : Math.max(SMALL_GAP, longest[node]! - shortest[node]!);
      if (!known || gap >= gaps[node]!) continue;
      gaps[node] = gap;
      alphabetOf[node] = index;
      all[node] = shortest[node]!;
      some[node] = shortest[node] === MAX_RUN ? MAX_RUN : longest[node]!;
    }
  }
  return { alphabets, alphabetOf, all, some };
}

/** What can be read next somewhere: the largest such sets first. */
function chooseAlphabets({ nodes, sets }: Edges): CharSet[] {
  const found = new Map<string, CharSet>();
  const seen = new Set<string>();
  for (const { chars } of nodes) {
    const ids = [...new Set(chars.map(({ set }) => set))].sort((a, b) => a - b);
    const key = ids.join();
    if (ids.length === 0 || seen.has(key)) continue;
    seen.add(key);
    const all = union(...ids.map((id) => sets[id]!));
    spend(all.length);
    if (size(all) >= MIN_CHARS) found.set(all.join(), all);
  }
  return [...found.values()].sort((a, b) => size(b) - size(a)).slice(0, MAX_ALPHABETS);
}

const size = (set: CharSet): number => pairs(set).reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** One alphabet beside all sets of a program. */
class Alphabet {
  /** By byte: a character begins with it. */
  readonly #first: Bytes = new Uint32Array(8);
  readonly #set: CharSet;
  readonly #sets: readonly CharSet[];
  readonly #size: number;
  readonly #known = new Map<string, number>();

  constructor(set: CharSet, sets: readonly CharSet[]) {
    this.#set = set;
    this.#sets = sets;
    this.#size = size(set);
    for (const [from, to] of utf8Sequences(set) as [number, number][]) {
      for (let byte = from; byte <= to; byte++) this.#first[byte >> 5]! |= 1 << (byte & 31);
    }
  }

  /** Some character begins with one of these bytes. */
  begins(bytes: Bytes): boolean {
    for (let word = 0; word < 8; word++) if ((bytes[word]! & this.#first[word]!) !== 0) return true;
    return false;
  }

  /** Some character is in the set. */
  meets(id: number): boolean {
    return this.#shared([id]) > 0;
  }

  /** All characters are in one of the sets. */
  isIn(ids: readonly number[]): boolean {
    return this.#shared(ids) === this.#size;
  }

  #shared(ids: readonly number[]): number {
    const key = ids.join();
    let shared = this.#known.get(key);
    if (shared === undefined) {
      const all = union(...ids.map((id) => this.#sets[id]!));
      spend(all.length + this.#set.length);
      this.#known.set(key, (shared = size(intersect(this.#set, all))));
    }
    return shared;
  }
}

/**
 * By node: up to which length every text of the alphabet can be read, and from which length on none can. Begins with "any"
 * and is corrected downwards until nothing changes, so that loops keep "any".
 */
function measure(
  { nodes }: Edges,
  alphabet: Alphabet,
  /** By node: what begins like a character of the alphabet may be something else. */
  free: readonly boolean[],
  ending: Uint8Array,
): { shortest: Uint8Array; longest: Uint8Array } {
  const shortest = new Uint8Array(nodes.length).fill(MAX_RUN);
  const longest = new Uint8Array(nodes.length).fill(MAX_RUN);
  const longer = (length: number) => Math.min(length + 1, MAX_RUN);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    // Backwards: what a counted text goes on with has the higher number.
    for (let node = nodes.length - 1; node >= 0; node--) {
      const { chars } = nodes[node]!;
      spend(1 + chars.length);
      const best = chars.length < 2 ? chars : [...chars].sort((a, b) => shortest[b.target]! - shortest[a.target]!);
      const ids: number[] = [];
      let short = 0;
      let long = free[node] ? MAX_RUN : 0;
      for (const { set, target } of best) {
        if (!alphabet.meets(set)) continue;
        long = Math.max(long, ending[target] ? MAX_RUN : longer(longest[target]!));
        if (short > 0) continue;
        ids.push(set);
        if (alphabet.isIn(ids)) short = longer(shortest[target]!);
      }
      if (short === shortest[node] && long === longest[node]) continue;
      changed = true;
      shortest[node] = short;
      longest[node] = long;
    }
    if (!changed) return { shortest, longest };
  }
  return { shortest: new Uint8Array(nodes.length), longest };
}

/** Sets of bytes, a bit each. */
type Bytes = Uint32Array;

/** By node: bytes that begin something that is not a character of its sets. */
function otherStarts({ nodes, starts, order }: Edges): (Bytes | undefined)[] {
  const ofRule: (Bytes | undefined)[] = [];
  const others: (Bytes | undefined)[] = [];
  const add = (node: number, all: boolean): Bytes | undefined => {
    let found: Bytes | undefined;
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
      for (let word = 0; word < 8; word++) found[word]! |= begins[word]!;
    }
    return found;
  };
  // Callees first: they have the higher rank.
  for (const rule of order.toReversed()) {
    if (starts[rule]! < 0) continue;
    ofRule[rule] = add(starts[rule]!, true);
    others[starts[rule]!] = add(starts[rule]!, false);
  }
  for (const node of nodes.keys()) others[node] ??= add(node, false);
  return others;
}

/** Nodes where a rule may end and something can follow: not those of a root that nobody calls. */
function endingNodes({ nodes, starts }: Edges): Uint8Array {
  const ending = Uint8Array.from(nodes, ({ accepts }) => Number(accepts));
  if (nodes.some(({ calls }) => calls.some(({ rule }) => rule === 0))) return ending;
  const root = new Set([starts[0]!]);
  for (const node of root) {
    ending[node] = 0;
    for (const { target } of nodes[node]!.bytes) root.add(target);
    for (const { back } of nodes[node]!.calls) root.add(back);
  }
  return ending;
}
