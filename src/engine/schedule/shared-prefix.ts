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

/** What two sequences must have in common, besides tokens, before one may copy what the other has computed. */
export interface Sharing {
  /** The adapters, since keys and values depend on them. */
  readonly adapters?: AdapterScales | undefined;
  /**
   * A text that separates callers who do not trust each other: the time to a first token tells whether its prompt was
   * cached. Sequences without one share among themselves.
   */
  readonly cacheSalt?: string | undefined;
}

export function mayShare(a: Sharing, b: Sharing): boolean {
  return a.cacheSalt === b.cacheSalt && sameAdapters(a.adapters, b.adapters);
}

/** Whether two sequences apply the same adapters, so that their keys and values of the same tokens are equal. */
function sameAdapters(a: AdapterScales | undefined, b: AdapterScales | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.every((scale, i) => scale === b[i]));
}

/** One salt of two, where a caller's requests are separated further. */
export function joinedSalt(outer: string | undefined, inner: string | undefined): string | undefined {
  return inner === undefined ? outer : JSON.stringify([outer ?? null, inner]);
}
