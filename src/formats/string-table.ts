/**
 * Many strings as the bytes of their UTF-8, one after the other. As strings of JavaScript a vocabulary of 128,256 tokens
 * and its 280,147 merges take 17 MB, as bytes 5.7; and a header half the time to read (docs/performance.md, "Loading").
 * @module
 */
import { decodeUtf8, writeUtf8 } from "../base/utf8.ts";

/** Strings that are decoded by one call. Small enough that a slice does not keep megabytes of text alive. */
const BATCH = 4096;

export class StringTable {
  readonly bytes: Uint8Array;
  /** Where each string ends; it begins where the one before ends. */
  readonly #ends: Uint32Array;
  readonly #gaps: ReadonlySet<number>;

  /**
   * @param bytes UTF-8
   * @param gaps places without a string
   */
  constructor(bytes: Uint8Array, ends: Uint32Array, gaps: ReadonlySet<number> = new Set()) {
    this.bytes = bytes;
    this.#ends = ends;
    this.#gaps = gaps;
  }

  /** @param strings a lone surrogate counts as U+FFFD */
  static of(strings: readonly (string | undefined)[]): StringTable {
    const bytes = new Uint8Array(3 * strings.reduce((sum, string) => sum + (string?.length ?? 0), 0));
    const ends = new Uint32Array(strings.length);
    const gaps = new Set<number>();
    let at = 0;
    for (const [i, string] of strings.entries()) {
      if (string === undefined) gaps.add(i);
      else at = writeUtf8(string, 0, string.length, bytes, at);
      ends[i] = at;
    }
    return new StringTable(bytes.slice(0, at), ends, gaps);
  }

  /** Whether there is a string at `i`. */
  has(i: number): boolean {
    return i < this.length && !this.#gaps.has(i);
  }

  get length(): number {
    return this.#ends.length;
  }

  /** Where string `i` begins in `bytes`. */
  start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!;
  }

  /** Where it ends. */
  end(i: number): number {
    return this.#ends[i]!;
  }

  at(i: number): string {
    return decodeUtf8(this.bytes.subarray(this.start(i), this.end(i)), "string");
  }

  /** All strings, many by one call: one TextDecoder call a string takes 4 times as long. */
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
          // Every byte that starts a character is one code unit; a character of 4 bytes is two.
          to += (byte & 0xc0) === 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
        }
        strings.push(text.slice(from, to));
        from = to;
      }
    }
    return strings;
  }
}
