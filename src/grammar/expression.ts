/**
 * Grammars as trees: what every front end (GBNF, regex, JSON schema) makes, and the compiler reads.
 * @module
 */
import type { CharSet } from "./char-set.ts";
import type { Dfa } from "./dfa.ts";

export type Expression =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "chars"; readonly set: CharSet }
  /** One byte: ranges as in a CharSet. For what is not UTF-8 by itself. */
  | { readonly kind: "bytes"; readonly ranges: readonly number[] }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  /** Without parts: nothing can match. */
  | { readonly kind: "choice"; readonly parts: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly index: number }
  /** A regular language over characters, each of them spelled by `spell`. */
  | { readonly kind: "automaton"; readonly dfa: Dfa; readonly spell: (set: CharSet) => Expression };

export interface Grammar {
  /** The first one is the root. */
  readonly rules: readonly Expression[];
  /** For error messages; by rule. */
  readonly names: readonly string[];
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
export const EMPTY: Expression = { kind: "sequence", parts: [] };
/** Matches nothing at all. */
export const NEVER: Expression = { kind: "choice", parts: [] };
