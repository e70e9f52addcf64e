/**
 * Classes of characters, from our own tables, so that every host gives the same ids. JavaScript's `\p{...}` follows the
 * engine's version of Unicode, and its `\s` is not Unicode's White_Space (they differ at U+0085 and U+FEFF).
 * @module
 */
import { CODE_POINTS, type RunTable } from "./unicode-flags.ts";
import { BERT_TABLE, CASE_TABLE, CLASS_TABLE, NFC_TABLE } from "./unicode-tables.ts";

const BLOCK = 256;

/**
 * The flags of every code point, in blocks of 256. Blocks that hold only one value are stored once per value, so that
 * both tables together take less than 60 KB.
 */
export class CodePointTable {
  readonly #blockOf = new Uint16Array(CODE_POINTS / BLOCK);
  readonly #blocks: Uint8Array;

  /** Fills block by block: this takes 2 ms of a cold start, while a flat table of all code points took 14 ms. */
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

/** Calls `action` with the value and the end of each run. Code points after the last run have no flags. */
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
let cases: CodePointTable | undefined;
let nfc: CodePointTable | undefined;
let bert: CodePointTable | undefined;

/** The classes that pre-tokenizers ask for. The table is expanded on first use. */
export function characterClasses(): CodePointTable {
  return (classes ??= new CodePointTable(CLASS_TABLE));
}

/** Capital and small letters, for pre-tokenizers that tell them apart. The table is expanded on first use. */
export function letterCases(): CodePointTable {
  return (cases ??= new CodePointTable(CASE_TABLE));
}

/** The classes that normalisation form C asks for. The table is expanded on first use. */
export function nfcClasses(): CodePointTable {
  return (nfc ??= new CodePointTable(NFC_TABLE));
}

/** The classes that BERT's normaliser and pre-tokeniser ask for. The table is expanded on first use. */
export function bertClasses(): CodePointTable {
  return (bert ??= new CodePointTable(BERT_TABLE));
}

/** Length in UTF-16 units of the character at `at`. A lone surrogate counts as one character. */
export function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
