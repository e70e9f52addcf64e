/**
 * Many strings as UTF-8, one after the other in one array. A vocabulary of 128,256 tokens and its 280,147 merges take
 * 17 MB as strings of JavaScript and 5.7 MB as bytes, and the header is read in half the
 * time (docs/performance.md, "Loading").
 * @module
 */
import { decodeUtf8, writeUtf8 } from "../base/utf8.ts";

/**
 * Strings that one call decodes. An engine may make each string a slice of the decoded text and keep that alive, so the
 * text must stay small.
 */
const BATCH = 4096;

/** A list of strings, some of which may be missing. */
export class StringTable {
  /** All strings, as UTF-8. */
  readonly bytes: Uint8Array;
  /** The end of each string in `bytes`. It begins at the end of the one before. */
  readonly #ends: Uint32Array;
  readonly #gaps: ReadonlySet<number>;

  /**
   * @param bytes all strings, as UTF-8
   * @param ends the end of each in `bytes`
   * @param gaps indices without a string
   */
  constructor(bytes: Uint8Array, ends: Uint32Array, gaps: ReadonlySet<number> = new Set()) {
    this.bytes = bytes;
    this.#ends = ends;
    this.#gaps = gaps;
  }

  /** The table of some strings. A lone surrogate becomes U+FFFD. */
  static of(strings: readonly (string | undefined)[]): StringTable {
    const bytes = new Uint8Array(3 * strings.reduce((sum, string) => sum + (string?.length ?? 0), 0));
    const ends = new Uint32Array(strings.length);
    const gaps = new Set<number>();
    let at = 0;
    for (const [i, string] of strings.entries()) {
      if (string === undefined) gaps.add(i);
      else at += writeUtf8(string, 0, string.length, bytes.subarray(at));
      ends[i] = at;
    }
    return new StringTable(bytes.slice(0, at), ends, gaps);
  }

  /** Whether there is a string at index `i`. */
  has(i: number): boolean {
    return i < this.length && !this.#gaps.has(i);
  }

  get length(): number {
    return this.#ends.length;
  }

  /** The index in `bytes` at which string `i` begins. */
  start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!;
  }

  /** The index in `bytes` at which string `i` ends. */
  end(i: number): number {
    return this.#ends[i]!;
  }

  /** String `i`, decoded. */
  at(i: number): string {
    return decodeUtf8(this.bytes.subarray(this.start(i), this.end(i)), "string");
  }

  /** All strings. One call decodes many: a call of TextDecoder per string would take 4 times as long. */
  toStrings(): string[] {
    const strings: string[] = [];
    for (let first = 0; first < this.length; first += BATCH) {
      const last = Math.min(first + BATCH, this.length);
      const text = decodeUtf8(this.bytes.subarray(this.start(first), this.end(last - 1)), "strings");
      let from = 0;
      for (let i = first, at = this.start(first); i < last; i++) {
        let to = from; // in UTF-16 code units
        for (const end = this.end(i); at < end; at++) {
          const byte = this.bytes[at]!;
          // A character is one UTF-16 code unit, or two if it has 4 bytes; continuation bytes add none.
          to += (byte & 0xc0) === 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
        }
        strings.push(text.slice(from, to));
        from = to;
      }
    }
    return strings;
  }
}
