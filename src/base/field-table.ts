/**
 * Tables of the fields that an object may have, and what happens to each of them.
 * @module
 */

/** A field of other implementations that would change the result here, if it were honoured. */
export interface UnsupportedField {
  /** A clause that says what to do instead, such as "send the whole conversation". */
  readonly instead: string;
  /**
   * Tells values that ask for nothing, such as `best_of: 1`. Default: no value does.
   * @param fields all fields of the object, on which that may depend
   */
  readonly neutral?: (value: unknown, fields: ReadonlyMap<string, unknown>) => boolean;
}

export interface FieldTable {
  /** Fields that the code reads and honours. */
  readonly known: readonly string[];
  /** Fields that change nothing here, such as hints, identifiers and notes. Any value is accepted and nothing is read. */
  readonly unused?: readonly string[];
  /** Fields that are refused by name, unless their value is neutral. */
  readonly unsupported?: Readonly<Record<string, UnsupportedField>>;
}

/** The known name that a misspelt one most likely means, if there is one. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 4));
  let best: string | undefined;
  let fewest = most + 1;
  for (const candidate of known) {
    const edits = editDistance(plain(name), plain(candidate), fewest);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** `maxTokens` and `max-tokens` are spellings of `max_tokens`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, "");
}

/** Longer names are no misspellings, and comparing them would take time. */
const MAX_NAME = 64;

/**
 * How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b` (optimal string alignment), or
 * `limit` if there are that many or more.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (a.length > MAX_NAME || b.length > MAX_NAME || Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    [before, row] = [row, next];
  }
  return Math.min(row[b.length]!, limit);
}
