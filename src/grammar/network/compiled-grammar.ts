/**
 * A compiled grammar: a recursive transition network (Woods 1970) over bytes.
 *
 * A node's edges read a byte, or call a rule and go on after it. There are no free edges, no dead ends and no left
 * recursion. Since edges read bytes, a character may be split over tokens.
 * @module
 */
import type { UniqueRules } from "../expression.ts";
import type { CharSet } from "../regular/char-set.ts";

export interface CompiledGrammar {
  readonly nodes: readonly GrammarNode[];
  /** The first node of each rule; -1 for a rule that is never called. */
  readonly starts: Int32Array;
  /** The rank of each rule: a rule has a lower rank than the rules that it calls before its first byte. */
  readonly ranks: Int32Array;
  /** The rules sorted by rank. */
  readonly order: Int32Array;
  /** The class of each byte. Bytes that no node tells apart are in one class. */
  readonly classOf: Uint8Array;
  /** One byte of each class. */
  readonly classBytes: Uint8Array;
  readonly runs: Runs;
  /** Undefined if no items must differ. */
  readonly unique: UniqueRules | undefined;
}

export interface GrammarNode {
  readonly bytes: readonly ByteEdge[];
  readonly calls: readonly Call[];
  readonly tokens: readonly TokenEdge[];
  /** Byte edges and calls that spell characters, once more as edges that read a character. */
  readonly chars: readonly CharEdge[];
  /** Whether the rule may end here. */
  readonly accepts: boolean;
}

/** Reads one byte from `from` to `to`. */
export interface ByteEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
  /** Whether the byte belongs to a character that a character edge reads, too. */
  readonly ofSet: boolean;
}

/** Reads one token as a whole. */
export interface TokenEdge {
  readonly id: number;
  /** Whether every token but this one is read. */
  readonly negated: boolean;
  readonly target: number;
}

/** Reads one character of a set. Byte edges and calls spell the same character out. */
export interface CharEdge {
  /** The number of the set. */
  readonly set: number;
  readonly target: number;
}

/** Reads a text of a rule, then goes on at the node `back`. */
export interface Call {
  readonly rule: number;
  readonly back: number;
  /** Whether character edges read the characters that the rule begins with, too. */
  readonly ofSet: boolean;
}

/**
 * Where a grammar reads runs of characters of an alphabet, such as the inside of a string. A token of such an alphabet
 * needs no walk through the grammar: its length in characters says whether it can be read.
 */
export interface Runs {
  readonly alphabets: readonly CharSet[];
  /** For each node the alphabet that leaves the fewest texts undecided, or -1. */
  readonly alphabetOf: Int8Array;
  /** Every text of the node's alphabet up to this length can be read. `MAX_RUN` means any length. */
  readonly all: Uint8Array;
  /** No text of the node's alphabet beyond this length can be read, if `all` is not `MAX_RUN`. */
  readonly some: Uint8Array;
}

/** The largest length of a run, in characters, that is counted. */
export const MAX_RUN = 255;
