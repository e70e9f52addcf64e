/**
 * JSON text (RFC 8259) as grammars: what json_object allows, and the pieces of a schema.
 * @module
 */
import { ANY_CHAR, type CharSet, charSet, charsOf, complement, contains, intersect } from "./char-set.ts";
import { type Dfa, textsDfa } from "./dfa.ts";
import { chars, choice, type Expression, literal, optional, repeat, sequence } from "./expression.ts";

const MUST_ESCAPE: CharSet = charSet([[0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]]); // biome-ignore format: one line
/** Texts that are worth a tree. */
const MANY = 8;
const PLAIN: CharSet = complement(MUST_ESCAPE);
const HEX = charSet([[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]]); // biome-ignore format: one line
/** Second letters of the short escapes. */
const SHORT: ReadonlyMap<number, string> = new Map(
  [...'"\\bfnrt'].map((letter) => [(JSON.parse(`"\\${letter}"`) as string).codePointAt(0)!, letter]),
);

/**
 * White space between tokens: a space, or a new line with up to 20 columns. Without a bound a small model fills its
 * answer with it.
 */
export const SPACE: Expression = optional(
  choice(literal(" "), sequence(literal("\n"), repeat(chars(charsOf(" \t")), 0, 20))),
);

const hex = (count: number) => repeat(chars(HEX), count, count);

/** Escapes of one character each: short ones, \uXXXX, and the two halves of a character beyond U+FFFF. */
export const ESCAPE: Expression = sequence(
  literal("\\"),
  choice(
    chars(charsOf('"\\/bfnrt')),
    sequence(
      literal("u"),
      choice(
        sequence(chars(charsOf("0123456789abcefABCEF")), hex(3)),
        sequence(chars(charsOf("dD")), chars(charsOf("01234567")), hex(2)),
        sequence(
          chars(charsOf("dD")),
          chars(charsOf("89abAB")),
          hex(2),
          literal("\\u"),
          chars(charsOf("dD")),
          chars(charsOf("cdefCDEF")),
          hex(2),
        ),
      ),
    ),
  ),
);

/** A string's character as it is. */
export const PLAIN_CHAR: Expression = chars(PLAIN);

/**
 * A character of a set: plain, or by a short escape. Control characters by \\u00XX only where nothing else is left: few
 * schemas want them, and they would be most of an automaton's nodes.
 */
export function spellInString(set: CharSet): Expression {
  const plain = chars(intersect(set, PLAIN));
  const short = [...SHORT].filter(([code]) => contains(set, code)).map(([, letter]) => letter);
  const escaped = sequence(literal("\\"), chars(charsOf(short.join(""))));
  if (intersect(set, PLAIN).length > 0) return short.length > 0 ? choice(plain, escaped) : plain;
  if (short.length > 0) return escaped;
  const controls = Array.from({ length: 32 }, (_, code) => code).filter((code) => contains(set, code));
  return choice(...controls.map((code) => literal(`\\u${code.toString(16).padStart(4, "0")}`)));
}

/** Characters of a set as they are. */
export const spellPlain = (set: CharSet): Expression => chars(intersect(set, ANY_CHAR));

/** One of these texts as they are: what several begin with is there once. */
export const oneOf = (texts: readonly string[]): Expression =>
  texts.length < MANY ? choice(...texts.map(literal)) : { kind: "automaton", dfa: textsDfa(texts), spell: spellPlain };

/** A string whose value is in a language. */
export const stringOf = (dfa: Dfa): Expression =>
  sequence(literal('"'), { kind: "automaton", dfa, spell: spellInString }, literal('"'));

/** Keys of a language in their plain spelling. */
export const keyOf = (dfa: Dfa): Expression =>
  sequence(literal('"'), { kind: "automaton", dfa, spell: (set) => chars(intersect(set, PLAIN)) }, literal('"'));

export const STRING: Expression = sequence(
  literal('"'),
  repeat(choice(PLAIN_CHAR, ESCAPE), 0, Number.POSITIVE_INFINITY),
  literal('"'),
);

const DIGIT = chars(charsOf("0123456789"));

/** Most digits of a number before its point, and behind it: doubles keep 15 exactly, and a model cannot count for ever. */
export const MAX_DIGITS = 15;

export const INTEGER: Expression = sequence(
  optional(literal("-")),
  choice(literal("0"), sequence(chars(charsOf("123456789")), repeat(DIGIT, 0, MAX_DIGITS - 1))),
);

/** Exponents have at most two digits, so that every number is finite. */
export const NUMBER: Expression = sequence(
  INTEGER,
  optional(sequence(literal("."), repeat(DIGIT, 1, MAX_DIGITS))),
  optional(sequence(chars(charsOf("eE")), optional(chars(charsOf("+-"))), repeat(DIGIT, 1, 2))),
);
