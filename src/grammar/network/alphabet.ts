/**
 * Alphabets of runs: the characters that can be read next somewhere in a grammar.
 * @module
 */
import { spend } from "../limits.ts";
import { type CharSet, intersect, pairs, union } from "../regular/char-set.ts";
import { utf8Sequences } from "../regular/utf8-ranges.ts";
import type { GrammarNode } from "./compiled-grammar.ts";

/** A set of bytes, with one bit per byte. */
export type ByteSet = Uint32Array;

const MAX_ALPHABETS = 6;
/** Smaller alphabets have few tokens, and the walks over them are short. */
const MIN_CHARS = 20;

const size = (set: CharSet): number => pairs(set).reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** The sets of characters that some node can read, the largest first. */
export function chooseAlphabets(nodes: readonly GrammarNode[], sets: readonly CharSet[]): CharSet[] {
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

/** One alphabet, compared with the sets of a grammar. */
export class Alphabet {
  /** The first bytes of its characters. */
  readonly #first: ByteSet = new Uint32Array(8);
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

  /** Whether some character begins with one of these bytes. */
  begins(bytes: ByteSet): boolean {
    return bytes.some((bits, i) => (bits & this.#first[i]!) !== 0);
  }

  /** Whether some character is in the set. */
  meets(id: number): boolean {
    return this.#shared([id]) > 0;
  }

  /** Whether every character is in one of the sets. */
  isIn(ids: readonly number[]): boolean {
    return this.#shared(ids) === this.#size;
  }

  /** How many characters are in one of the sets. */
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
