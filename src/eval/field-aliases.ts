/**
 * Copies of a data set often name its fields otherwise: AIME of 2024 has `Problem` or `problem`, and math-ai/aime24 has its
 * answers only in the box of `solution`.
 * @module
 */
import { lastBoxed } from "./math/boxed.ts";
import type { Row } from "./row.ts";

/** Where a copy has a field: under another name, or in the last `\boxed{...}` of a text. */
export type Alias = string | { readonly boxed: string };
type Aliases = Readonly<Record<string, readonly Alias[]>> | undefined;

/** What a row has for a field, under any of its names; undefined if it has nothing. */
export function valueIn(row: Row, field: string, aliases: Aliases = {}): unknown {
  for (const alias of [field, ...(aliases[field] ?? [])]) {
    const value = typeof alias === "string" ? row[alias] : boxedIn(row[alias.boxed]);
    if (value !== undefined) return value;
  }
  return undefined;
}

function boxedIn(text: unknown): string | undefined {
  return typeof text === "string" ? lastBoxed(text) : undefined;
}

/** The row with the fields that it has elsewhere. */
export function withFields(row: Row, aliases: Aliases = {}): Row {
  const added = Object.keys(aliases).flatMap((field) => {
    const value = field in row ? undefined : valueIn(row, field, aliases);
    return value === undefined ? [] : [[field, value] as const];
  });
  return added.length === 0 ? row : { ...row, ...Object.fromEntries(added) };
}
