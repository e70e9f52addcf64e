/**
 * Sets of code points, and how UTF-8 spells them.
 * @module
 */

/** Flat list of ranges `[from, to, from, to, ...]`, both inclusive, in order, with gaps between them. */
export type CharSet = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;

/** Every Unicode character: code points without surrogates, which UTF-8 cannot spell. */
export const ANY_CHAR: CharSet = [0, 0xd7ff, 0xe000, MAX_CODE_POINT];

/** Ranges in any order and overlapping, to a set. */
export function charSet(ranges: readonly (readonly [from: number, to: number])[]): CharSet {
  const set: number[] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (set.length > 0 && from <= set.at(-1)! + 1) set[set.length - 1] = Math.max(set.at(-1)!, to);
    else set.push(from, to);
  }
  return set;
}

export function pairs(set: CharSet): [from: number, to: number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i]!, set[2 * i + 1]!]);
}

export const charsOf = (text: string): CharSet => charSet([...text].map((c) => [c.codePointAt(0)!, c.codePointAt(0)!]));

export const union = (...sets: readonly CharSet[]): CharSet => charSet(sets.flatMap(pairs));

export function intersect(a: CharSet, b: CharSet): CharSet {
  const set: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i]!, b[j]!);
    const to = Math.min(a[i + 1]!, b[j + 1]!);
    if (from <= to) set.push(from, to);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return set;
}

/** All characters but these. */
export function complement(set: CharSet): CharSet {
  const gaps: number[] = [];
  let from = 0;
  for (const [start, end] of pairs(set)) {
    if (start > from) gaps.push(from, start - 1);
    from = end + 1;
  }
  if (from <= MAX_CODE_POINT) gaps.push(from, MAX_CODE_POINT);
  return intersect(gaps, ANY_CHAR);
}

export function contains(set: CharSet, char: number): boolean {
  for (let i = 0; i < set.length; i += 2) if (char >= set[i]! && char <= set[i + 1]!) return true;
  return false;
}

/** Last code point of one, two, three and four bytes. */
const LAST = [0x7f, 0x7ff, 0xffff, MAX_CODE_POINT];

/**
 * The UTF-8 spellings of a set (without surrogates): sequences of byte ranges `[from, to, from, to, ...]`, one pair a
 * byte. A range is cut where the number of bytes changes, and where a later byte does not run over all its values.
 */
export function utf8Sequences(set: CharSet): number[][] {
  const sequences: number[][] = [];
  for (const [start, end] of pairs(intersect(set, ANY_CHAR))) {
    for (let from = start; from <= end; ) {
      const bytes = LAST.findIndex((last) => from <= last);
      const to = cut(from, Math.min(end, LAST[bytes]!), bytes);
      sequences.push(encodeRange(from, to, bytes));
      from = to + 1;
    }
  }
  return sequences;
}

/** The largest end up to `to` so that `from..end` is one sequence of byte ranges with `tails` continuation bytes. */
function cut(from: number, to: number, tails: number): number {
  for (let tail = tails; tail >= 1; tail--) {
    const size = 2 ** (6 * tail); // code points that share the bytes before this tail
    if (Math.floor(from / size) === Math.floor(to / size)) continue;
    // The first byte that differs: what is behind it must run over everything.
    if (from % size !== 0) return cut(from, from - (from % size) + size - 1, tails);
    return (to + 1) % size === 0 ? to : to - (to % size) - 1;
  }
  return to;
}

function encodeRange(from: number, to: number, tails: number): number[] {
  const lead = [0, 0xc0, 0xe0, 0xf0][tails]!;
  const ranges = [lead | (from >> (6 * tails)), lead | (to >> (6 * tails))];
  for (let tail = tails - 1; tail >= 0; tail--) {
    ranges.push(0x80 | ((from >> (6 * tail)) & 0x3f), 0x80 | ((to >> (6 * tail)) & 0x3f));
  }
  return ranges;
}
