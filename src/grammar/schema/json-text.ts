/**
 * JSON text (RFC 8259) as expressions: the pieces that every schema's grammar is made of.
 * @module
 */
import { chars, choice, type Expression, literal, optional, repeat, sequence } from "../expression.ts";
import { type CharSet, charSet, charsOf, complement, contains, intersect } from "../regular/char-set.ts";
import type { Dfa } from "../regular/dfa.ts";

const MUST_ESCAPE: CharSet = charSet([[0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]]); // biome-ignore format: one line
const UNESCAPED: CharSet = complement(MUST_ESCAPE);
const HEX = charSet([[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]]); // biome-ignore format: one line
/** The characters that have a short escape, with the letter after its backslash. */
const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map(
  [...'"\\bfnrt'].map((letter) => [(JSON.parse(`"\\${letter}"`) as string).codePointAt(0)!, letter]),
);

/**
 * White space between tokens: nothing, a space, or a new line with up to 20 columns. Without a limit, a small model fills
 * its answer with white space.
 */
export const SPACE: Expression = optional(
  choice(literal(" "), sequence(literal("\n"), repeat(chars(charsOf(" \t")), 0, 20))),
);
/** Between two members of an object, or two items of an array. */
export const SEPARATOR: Expression = sequence(literal(","), SPACE);
/** Between the key and the value of a member. */
export const COLON: Expression = sequence(literal(":"), SPACE);

const hex = (count: number) => repeat(chars(HEX), count, count);
const oneChar = (text: string) => chars(charsOf(text));

/** `\uXXXX` after its `u`: a character up to U+FFFF, or the surrogate pair of one beyond. */
const UNICODE_ESCAPE: Expression = choice(
  sequence(oneChar("0123456789abcefABCEF"), hex(3)),
  sequence(oneChar("dD"), oneChar("01234567"), hex(2)),
  sequence(oneChar("dD"), oneChar("89abAB"), hex(2), literal("\\u"), oneChar("dD"), oneChar("cdefCDEF"), hex(2)),
);

/** An escape that stands for one character. */
export const ESCAPE: Expression = sequence(
  literal("\\"),
  choice(oneChar('"\\/bfnrt'), sequence(literal("u"), UNICODE_ESCAPE)),
);

/** A character of a string that is not escaped. */
export const UNESCAPED_CHAR: Expression = chars(UNESCAPED);

/** Any string. */
export const STRING: Expression = sequence(
  literal('"'),
  repeat(choice(UNESCAPED_CHAR, ESCAPE), 0, Number.POSITIVE_INFINITY),
  literal('"'),
);

/**
 * One character of a set, inside a string: unescaped or by a short escape. Control characters are spelled `\u00XX` only
 * if the set has nothing else: few schemas want them, and they would be most of an automaton's nodes.
 */
function spellInString(set: CharSet): Expression {
  const unescaped = chars(intersect(set, UNESCAPED));
  const letters = [...SHORT_ESCAPES].filter(([code]) => contains(set, code)).map(([, letter]) => letter);
  const escaped = sequence(literal("\\"), oneChar(letters.join("")));
  if (intersect(set, UNESCAPED).length > 0) return letters.length > 0 ? choice(unescaped, escaped) : unescaped;
  if (letters.length > 0) return escaped;
  const controls = Array.from({ length: 32 }, (_, code) => code).filter((code) => contains(set, code));
  return choice(...controls.map((code) => literal(`\\u${code.toString(16).padStart(4, "0")}`)));
}

/** A string whose value is in a language. */
export const stringOf = (dfa: Dfa): Expression =>
  sequence(literal('"'), { kind: "automaton", dfa, spell: spellInString }, literal('"'));

/** A key in a language, without escapes. */
export const keyOf = (dfa: Dfa): Expression =>
  sequence(literal('"'), { kind: "automaton", dfa, spell: (set) => chars(intersect(set, UNESCAPED)) }, literal('"'));

const DIGIT = oneChar("0123456789");

/** Digits of a number after its point, or before it. Doubles keep 15 digits, and a small model does not stop by itself. */
export const MAX_DIGITS = 15;

/** Any integer with up to 16 digits, which the largest integers that doubles keep (2^53) have. */
export const INTEGER: Expression = sequence(
  optional(literal("-")),
  choice(literal("0"), sequence(oneChar("123456789"), repeat(DIGIT, 0, MAX_DIGITS))),
);

/** Any number. Exponents have at most two digits, so every number is finite. */
export const NUMBER: Expression = sequence(
  INTEGER,
  optional(sequence(literal("."), repeat(DIGIT, 1, MAX_DIGITS))),
  optional(sequence(oneChar("eE"), optional(oneChar("+-")), repeat(DIGIT, 1, 2))),
);
