/**
 * Copies of a data set often name its fields otherwise: AIME of 2024 has `Problem` or `problem`.
 * @module
 */
import type { Row, Task } from "./task.ts";

type Aliases = Task["field_aliases"];

/** What a row calls a field; undefined if it has none of its names. */
export function nameIn(row: Row, field: string, aliases: Aliases = {}): string | undefined {
  return [field, ...(aliases[field] ?? [])].find((name) => name in row);
}

/** The row with the fields that it has under other names. */
export function withFields(row: Row, aliases: Aliases = {}): Row {
  const named = Object.keys(aliases).flatMap((field) => {
    const name = nameIn(row, field, aliases);
    return name === undefined || name === field ? [] : [[field, row[name]] as const];
  });
  return named.length === 0 ? row : { ...row, ...Object.fromEntries(named) };
}
