/**
 * The character classes of ECMA-262: `.`, `\d`, `\w`, `\s` and their complements.
 * @module
 */
import { type CharSet, charSet, charsOf, complement, union } from "./char-set.ts";

const DIGIT = charSet([[0x30, 0x39]]);
const WORD = union(DIGIT, charsOf("_"), charSet([[0x41, 0x5a], [0x61, 0x7a]])); // biome-ignore format: one line
const LINE_END = charsOf("\n\r\u2028\u2029");
const SPACE = union(LINE_END, charsOf("\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff"), charSet([[0x2000, 0x200a]]));

/** The characters that `.` matches. */
export const NOT_LINE_END: CharSet = complement(LINE_END);

/** The classes by the letter after the backslash. */
export const CLASSES: ReadonlyMap<string, CharSet> = new Map([
  ["d", DIGIT],
  ["D", complement(DIGIT)],
  ["w", WORD],
  ["W", complement(WORD)],
  ["s", SPACE],
  ["S", complement(SPACE)],
]);
