/**
 * One grammar of several: a text that any of them allows.
 * @module
 */
import { choice, type Expression, type Grammar, rule } from "./expression.ts";

/** The rules of each grammar follow one another behind the new root. */
export function eitherGrammar(grammars: readonly Grammar[]): Grammar {
  const rules: Expression[] = [choice()];
  const names = ["either"];
  const roots: Expression[] = [];
  for (const grammar of grammars) {
    const first = rules.length;
    roots.push(rule(first));
    rules.push(...grammar.rules.map((expression) => shifted(expression, first)));
    names.push(...grammar.names);
  }
  rules[0] = choice(...roots);
  return { rules, names };
}

/** The expression with `by` added to the numbers of its rules. */
function shifted(expression: Expression, by: number): Expression {
  switch (expression.kind) {
    case "rule":
      return rule(expression.index + by);
    case "sequence":
    case "choice":
      return { ...expression, parts: expression.parts.map((part) => shifted(part, by)) };
    case "repeat":
      return { ...expression, part: shifted(expression.part, by) };
    default:
      return expression;
  }
}
