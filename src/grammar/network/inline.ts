/**
 * Finds the rules and parts that are small enough to be copied instead of called.
 * @module
 */
import type { Expression } from "../expression.ts";
import type { CharSet } from "../regular/char-set.ts";

/** Rules up to this size and without loops are copied: a call costs more than their nodes. */
export const INLINE_SIZE = 24;
const LARGE = INLINE_SIZE + 1;
/** Each round settles the rules whose callees are settled. In deeper chains, small rules remain calls. */
const ROUNDS = 4;

/** The size of each rule with everything that it calls; `INLINE_SIZE + 1` if it is larger, loops or calls itself. */
export function inlineSizes(rules: readonly Expression[]): number[] {
  const sizes = rules.map(() => LARGE);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, expression] of rules.entries()) sizes[index] = Math.min(LARGE, measure(expression, sizes));
  }
  return sizes;
}

function measure(expression: Expression, sizes: readonly number[]): number {
  switch (expression.kind) {
    case "literal":
      return expression.text.length;
    case "chars":
    case "token":
      return 1;
    case "automaton":
      return LARGE;
    case "repeat":
      if (!Number.isFinite(expression.max)) return LARGE;
      return (1 + measure(expression.part, sizes)) * Math.max(1, expression.max);
    case "rule":
      return 1 + sizes[expression.index]!;
    default: {
      let sum = 1;
      for (const part of expression.parts) {
        sum += measure(part, sizes);
        if (sum > INLINE_SIZE) break;
      }
      return sum;
    }
  }
}

/** A part that costs little to copy. Making it a rule would also hide which characters it reads. */
export function isSmall(part: Expression, sizes: readonly number[]): boolean {
  if (part.kind === "rule") return sizes[part.index]! > INLINE_SIZE;
  if (part.kind === "choice") return part.parts.length <= 3 && part.parts.every((each) => isSmall(each, sizes));
  return part.kind === "chars" || part.kind === "token";
}

/** The sets of which an expression reads one character, if all of its other alternatives begin with a literal. */
export function singleChars(expression: Expression): CharSet[] {
  if (expression.kind !== "choice") return [];
  const { parts } = expression;
  const isOther = (part: Expression) => part.kind === "sequence" && part.parts[0]?.kind === "literal";
  if (!parts.every((part) => part.kind === "chars" || isOther(part))) return [];
  return parts.flatMap((part) => (part.kind === "chars" ? [part.set] : []));
}
