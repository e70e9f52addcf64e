/**
 * Sets of code points as sequences of UTF-8 byte ranges.
 * @module
 */
import { ANY_CHAR, type CharSet, intersect, MAX_CODE_POINT, pairs } from "./char-set.ts";

/** The last code point that UTF-8 encodes in one, two, three and four bytes. */
const LAST = [0x7f, 0x7ff, 0xffff, MAX_CODE_POINT];

/**
 * The UTF-8 encodings of a set, without surrogates: sequences of byte ranges `[from, to, from, to, ...]` with one pair
 * per byte. A range of code points is split where the number of bytes changes, and where a later byte does not take all
 * of its values.
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

/** The largest `end` up to `to` such that `from..end` is one sequence of byte ranges with `tails` continuation bytes. */
function cut(from: number, to: number, tails: number): number {
  for (let tail = tails; tail >= 1; tail--) {
    const size = 2 ** (6 * tail); // code points that share the bytes before this one
    if (Math.floor(from / size) === Math.floor(to / size)) continue;
    // This is the first byte that differs, so the bytes after it must take all of their values.
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
