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
const CODE_POINTS = 0x110000;

/** Flags of every code point: blocks of 256 with one value are stored once. Both tables together take under 60 KB. */
export class CodePointTable {
  readonly #blockOf = new Uint16Array(CODE_POINTS / BLOCK);
  readonly #blocks: Uint8Array;

  /** Block by block from the runs: a flat table of all code points first took 14 ms of a cold start, this takes 2. */
  constructor(table: RunTable) {
    const blocks: Uint8Array[] = [];
    const uniform = new Map<number, number>();
    let at = 0;
    eachRun(table, (value, end) => {
      while (at < end) {
        const block = at >> 8;
        const within = at & 255;
        const whole = (end >> 8) - block;
        if (within === 0 && whole > 0) {
          const same = uniform.get(value) ?? blocks.push(new Uint8Array(BLOCK).fill(value)) - 1;
          uniform.set(value, same);
          this.#blockOf.fill(same, block, block + whole);
          at += whole * BLOCK;
        } else {
          if (within === 0) this.#blockOf[block] = blocks.push(new Uint8Array(BLOCK)) - 1;
          const next = Math.min(end, (block + 1) * BLOCK);
          blocks[blocks.length - 1]!.fill(value, within, within + next - at);
          at = next;
        }
      }
    });
    this.#blocks = new Uint8Array(blocks.length * BLOCK);
    for (let i = 0; i < blocks.length; i++) this.#blocks.set(blocks[i]!, i * BLOCK);
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

/** Value and end of each run; what the table leaves out has no flags. */
function eachRun({ flags, runs }: RunTable, action: (value: number, end: number) => void): void {
  const values = flags.match(/../g)!.map((hex) => Number.parseInt(hex, 16));
  let at = 0;
  let length = 0;
  for (let i = 0; i < runs.length; i++) {
    const code = runs.charCodeAt(i);
    if (code < 65) length = length * 36 + (code - 48);
    else if (code >= 97 && code <= 122) length = length * 36 + (code - 87);
    else {
      at += length || 1;
      length = 0;
      action(values[code < 0xc0 ? code - 65 : code - 0xc0 + 26]!, at);
    }
  }
  action(0, CODE_POINTS);
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
