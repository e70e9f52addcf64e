/**
 * Compares two sequences: their common prefix, and whether one can use the keys and values of the other.
 * @module
 */
import type { AdapterScales } from "../../runtime/types.ts";

/** How many of the first `limit` tokens are the same. */
export function sharedLength(a: readonly number[], b: readonly number[], limit: number): number {
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

/** Whether two sequences apply the same adapters, so that their keys and values of the same tokens are equal. */
export function sameAdapters(a: AdapterScales | undefined, b: AdapterScales | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.every((scale, i) => scale === b[i]));
}
