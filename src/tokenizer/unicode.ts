/**
 * Character classes from our own tables, so that every host gives the same ids: `\p{...}` and `\s` of JavaScript
 * follow the engine's Unicode version, and its `\s` is not Unicode's White_Space (U+0085, U+FEFF).
 * @module
 */
import { CLASS_TABLE, NFC_TABLE } from "./unicode-tables.ts";

/** General categories L, M, N, P and S; White_Space; Rust's `\w`; N of Unicode 17 (Rust's `char::is_numeric`). */
export const LETTER = 1;
export const MARK = 2;
export const NUMBER = 4;
export const PUNCTUATION = 8;
export const SYMBOL = 16;
export const SPACE = 32;
export const WORD = 64;
export const NUMERIC = 128;

/** Takes part in normalisation form C; and: can make it differ from the text as it stands. */
export const NFC_RELEVANT = 1;
export const NFC_MAY_CHANGE = 2;
/** The bits above: 0 for a starter, else the place of the canonical combining class among all classes in use. */
export const NFC_ORDER = 4;

/** Flags by code point, as runs from U+0000 on. */
export interface RunTable {
  /** The values in use, two hexadecimal digits each. */
  readonly flags: string;
  /** A run is the letter of its value (A-Z, then from À on), before it its length in base 36 if that is not 1. */
  readonly runs: string;
}

const BLOCK = 256;

/** Flags of every code point: equal blocks of 256 are stored once. Both tables together take under 60 KB. */
export class CodePointTable {
  readonly #blockOf = new Uint16Array(0x110000 / BLOCK);
  readonly #blocks: Uint8Array;

  constructor(table: RunTable) {
    const flat = expand(table);
    const blocks: number[] = [];
    const uniform = new Map<number, number>();
    for (let block = 0; block < this.#blockOf.length; block++) {
      const flags = flat.subarray(block * BLOCK, (block + 1) * BLOCK);
      const first = flags[0]!;
      const isUniform = flags.every((value) => value === first);
      const stored = isUniform ? uniform.get(first) : undefined;
      this.#blockOf[block] = stored ?? blocks.length / BLOCK;
      if (stored !== undefined) continue;
      if (isUniform) uniform.set(first, blocks.length / BLOCK);
      blocks.push(...flags);
    }
    this.#blocks = Uint8Array.from(blocks);
  }

  flags(codePoint: number): number {
    return this.#blocks[this.#blockOf[codePoint >> 8]! * BLOCK + (codePoint & 255)]!;
  }

  /** The end of the run from `start` of characters that have any of `mask`. */
  skipWhile(text: string, start: number, end: number, mask: number): number {
    let at = start;
    while (at < end) {
      const codePoint = text.codePointAt(at)!;
      if ((this.flags(codePoint) & mask) === 0) break;
      at += codePoint > 0xffff ? 2 : 1;
    }
    return at;
  }

  /** The end of the run from `start` of characters that have none of `mask`. */
  skipUntil(text: string, start: number, end: number, mask: number): number {
    let at = start;
    while (at < end) {
      const codePoint = text.codePointAt(at)!;
      if ((this.flags(codePoint) & mask) !== 0) break;
      at += codePoint > 0xffff ? 2 : 1;
    }
    return at;
  }
}

function expand({ flags, runs }: RunTable): Uint8Array {
  const values = flags.match(/../g)!.map((hex) => Number.parseInt(hex, 16));
  const flat = new Uint8Array(0x110000);
  let at = 0;
  let length = 0;
  for (let i = 0; i < runs.length; i++) {
    const code = runs.charCodeAt(i);
    if (code < 65) length = length * 36 + (code - 48);
    else if (code >= 97 && code <= 122) length = length * 36 + (code - 87);
    else {
      const end = at + (length || 1);
      flat.fill(values[code < 0xc0 ? code - 65 : code - 0xc0 + 26]!, at, end);
      at = end;
      length = 0;
    }
  }
  return flat;
}

let classes: CodePointTable | undefined;
let nfc: CodePointTable | undefined;

/** The pre-tokenisers' classes, expanded on first use. */
export function characterClasses(): CodePointTable {
  return (classes ??= new CodePointTable(CLASS_TABLE));
}

/** The characters of normalisation form C, expanded on first use. */
export function nfcClasses(): CodePointTable {
  return (nfc ??= new CodePointTable(NFC_TABLE));
}

/** Length in UTF-16 units of the character at `at`. A lone surrogate counts as one character. */
export function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
