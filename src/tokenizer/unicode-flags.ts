/**
 * The bits of the tables in unicode-tables.ts, and the encoding of a table. scripts/unicode-tables.ts writes
 * the tables, and unicode.ts reads them.
 * @module
 */

/** Bits of `CLASS_TABLE`: the general categories L, M, N, P and S. */
export const LETTER = 1;
export const MARK = 2;
export const NUMBER = 4;
export const PUNCTUATION = 8;
export const SYMBOL = 16;
/** White_Space. */
export const SPACE = 32;
/** `\w` of Rust's regular expressions. */
export const WORD = 64;
/** The general category N of Unicode 17, which is Rust's `char::is_numeric`. */
export const NUMERIC = 128;

/**
 * Bits of `CASE_TABLE`: the general categories Lu, Lt, Lm, Lo and M, and Ll, Lm, Lo and M. So a letter without case and a
 * mark have both.
 */
export const CAPITAL = 1;
export const SMALL = 2;

/** Bits of `NFC_TABLE`: the character takes part in normalisation form C. */
export const NFC_RELEVANT = 1;
/** Where the character stands, normalisation can change the text. */
export const NFC_MAY_CHANGE = 2;
/**
 * The unit of the bits above these two. They hold 0 for a starter, else the place of the character's canonical combining
 * class among all classes in use.
 */
export const NFC_ORDER = 4;

/** Bits of `BERT_TABLE`: `clean_text` removes the character. */
export const BERT_REMOVED = 1;
/** The character is a piece of its own. */
export const BERT_PUNCTUATION = 2;
/** A nonspacing mark, which `strip_accents` removes. */
export const BERT_MARK = 4;
/** `handle_chinese_chars` puts spaces around it. */
export const BERT_IDEOGRAPH = 8;

/** The flags of all code points, as runs from U+0000 on. */
export interface RunTable {
  /** The values in use, in two hexadecimal digits each. */
  readonly flags: string;
  /** A run is the letter of its value (A to Z, then U+00C0 and on), after its length in base 36 if that is not 1. */
  readonly runs: string;
}

/** How many code points Unicode has, and so how many a table covers. */
export const CODE_POINTS = 0x110000;
