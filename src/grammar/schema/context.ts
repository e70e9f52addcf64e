/**
 * The schema compiler as its parts see it.
 * @module
 */
import type { Expression } from "../expression.ts";
import type { Dfa } from "../regular/dfa.ts";
import type { RawSchema, SchemaNode } from "./node.ts";

/** Schemas that one value must satisfy all at once: `allOf`, `$ref` and siblings, or several that describe a property. */
export type Goal = readonly SchemaNode[];

/** A goal with everything that it refers to, and with one alternative chosen of each `anyOf` and `oneOf`. */
export type Case = readonly SchemaNode[];

/** The languages of strings. */
export interface StringLanguages {
  /** The strings that `pattern`, `format` and excluded values allow; undefined if the case has none of them. */
  strings(nodes: Case): Dfa | undefined;
  /** Equal for cases with equal strings. */
  key(nodes: Case): string;
}

export interface SchemaContext {
  readonly languages: StringLanguages;
  /** Reads a schema, once. */
  node(raw: RawSchema, where: string): SchemaNode;
  /** The schemas that apply to the same value as parts of a schema: references, `allOf` and all alternatives. */
  parts(node: SchemaNode): SchemaNode[];
  /** Every way to choose among the alternatives of a goal. */
  cases(goal: Goal): Case[];
  /** Like `cases`, if several alternatives of a `oneOf` may hold at once. */
  looseCases(goal: Goal): Case[];
  /** The rule of the values that satisfy a goal. */
  goalRule(goal: Goal): Expression;
  /** A rule that is defined once, after the current one, so that rules may refer to each other. */
  named(key: string, name: string, define: () => Expression): Expression;
  /** Makes sure that the items of a list, which are texts of the rule `item`, differ. */
  differ(list: Expression, item: Expression): void;
  /** True if it is certain that no value satisfies the goal. Looks `depth` properties or items deep. */
  isVoid(goal: Goal, depth: number): boolean;
}
