/**
 * Grammars as trees: every front end (GBNF, patterns, JSON schemas) makes them, and `network/` compiles them.
 * @module
 */
import { ANY_CHAR, type CharSet, intersect } from "./regular/char-set.ts";
import { type Dfa, isEmpty } from "./regular/dfa.ts";
import { textsDfa } from "./regular/operations.ts";

export type Expression =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "chars"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  /** One token of the vocabulary, or any other token if it is negated. */
  | { readonly kind: "token"; readonly id: number; readonly negated: boolean }
  /** A choice without parts matches nothing. */
  | { readonly kind: "choice"; readonly parts: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly index: number }
  /** A regular language over characters. `spell` gives the text of one character of a set. */
  | { readonly kind: "automaton"; readonly dfa: Dfa; readonly spell: (set: CharSet) => Expression };

export interface Grammar {
  /** Rule 0 is the root. */
  readonly rules: readonly Expression[];
  /** The names of the rules, for error messages. */
  readonly names: readonly string[];
  readonly unique?: UniqueRules;
}

/** Rules of lists whose items must differ, and rules of their items: equal items have equal texts. */
export interface UniqueRules {
  readonly lists: ReadonlySet<number>;
  readonly items: ReadonlySet<number>;
}

export const literal = (text: string): Expression => ({ kind: "literal", text });
export const chars = (set: CharSet): Expression => ({ kind: "chars", set });
export const sequence = (...parts: Expression[]): Expression =>
  parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
export const choice = (...parts: Expression[]): Expression =>
  parts.length === 1 ? parts[0]! : { kind: "choice", parts };
export const repeat = (part: Expression, min: number, max: number): Expression => ({ kind: "repeat", part, min, max });
export const optional = (part: Expression): Expression => repeat(part, 0, 1);
export const rule = (index: number): Expression => ({ kind: "rule", index });
/** Matches the empty text only. */
export const EMPTY: Expression = { kind: "sequence", parts: [] };
/** Matches nothing, not even the empty text. */
export const NEVER: Expression = { kind: "choice", parts: [] };

/** The texts of a regular language, written as they are. */
export const plain = (dfa: Dfa): Expression =>
  isEmpty(dfa) ? NEVER : { kind: "automaton", dfa, spell: (set) => chars(intersect(set, ANY_CHAR)) };

/** From this number of texts on, an automaton that shares their beginnings takes less than a choice. */
const MANY_TEXTS = 8;

/** One of these texts. */
export const oneOf = (texts: readonly string[]): Expression =>
  texts.length < MANY_TEXTS ? choice(...texts.map(literal)) : plain(textsDfa(texts));
