/**
 * Combines what the schemas of a case say about listed values and numbers.
 * @module
 */
import { spend } from "../limits.ts";
import type { Case } from "./context.ts";
import type { NumberFacts } from "./numbers.ts";
import type { Validator } from "./valid.ts";

/** If `enum` or `const` lists the values: those that satisfy everything else, too. */
export function listedValues(nodes: Case, validator: Validator): readonly unknown[] | undefined {
  const lists = nodes.flatMap(({ values }) => values ?? []);
  if (lists.length === 0) return undefined;
  const shortest = lists.reduce((best, list) => (list.size < best.size ? list : best));
  spend(shortest.size * nodes.length);
  const common = [...shortest].filter(([text]) => lists.every((list) => list.has(text)));
  return common.map(([, value]) => value).filter((value) => validator.isValidCase(value, nodes));
}

export const numberFacts = (nodes: Case): NumberFacts => ({
  integer: nodes.some(({ integer }) => integer),
  fractional: nodes.some(({ fractional }) => fractional),
  lower: nodes.flatMap(({ lower }) => lower),
  upper: nodes.flatMap(({ upper }) => upper),
  multiples: nodes.flatMap(({ multipleOf }) => multipleOf ?? []),
  excluded: nodes.flatMap(({ excluded }) => [...excluded.values()].filter((value) => typeof value === "number")),
});
