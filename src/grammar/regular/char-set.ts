/**
 * Sets of Unicode code points.
 * @module
 */

/** A flat list of ranges `[from, to, from, to, ...]`: both ends are inclusive, ranges are sorted and do not touch. */
export type CharSet = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;

/** Every Unicode character: all code points but the surrogates, which UTF-8 cannot encode. */
export const ANY_CHAR: CharSet = [0, 0xd7ff, 0xe000, MAX_CODE_POINT];

/** Makes a set of ranges, which may overlap and come in any order. */
export function charSet(ranges: readonly (readonly [from: number, to: number])[]): CharSet {
  const set: number[] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (set.length > 0 && from <= set.at(-1)! + 1) set[set.length - 1] = Math.max(set.at(-1)!, to);
    else set.push(from, to);
  }
  return set;
}

/** The ranges of a set as pairs. */
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

/** All characters that are not in the set. */
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
