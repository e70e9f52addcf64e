/**
 * Token ids to bytes and back, in flat arrays: 128,000 tokens take under 3 MB, as strings in a Map they would take 15.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { StringTable } from "../formats/string-table.ts";

/** Twice the largest published vocabulary, rounded up: an id beyond it is refused before anything is allocated. */
export const MAX_VOCABULARY: number = 1 << 20;

/** Bytes of the longest token that `findJoined` gives: bounds its time. Gemma's longest has 93. */
export const MAX_JOINED = 1024;

/** How a vocabulary spells the bytes that its tokens stand for. */
export interface Alphabet {
  /**
   * Writes what a token stands for, whose spelling (UTF-8) is `spelling[start..end)`, at `target[at...]`: never more
   * bytes than it is spelled with.
   * @returns the end of what was written, or `notFound` of it for a token that no text is ever looked up as
   */
  write(spelling: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number;
}

/** Marks the end of a token that `Vocabulary.find` must not give: a negative number. */
export const notFound = (end: number): number => ~end;

export class Vocabulary {
  readonly alphabet: Alphabet;
  /** One more than the largest id. Ids without a token stand for no bytes. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  /** 1 for the tokens that `find` can give. */
  readonly #found: Uint8Array;
  readonly #joined = new Uint8Array(MAX_JOINED);
  // Open addressing with linear probing, at most half full: id + 1, or 0 where free.
  readonly #slots: Int32Array;

  /**
   * @param tokens by id, as the file spells them
   * @throws NibbleError `bad_tokenizer` for no tokens, too many, or one given twice
   */
  constructor(tokens: StringTable, alphabet: Alphabet) {
    this.alphabet = alphabet;
    this.size = tokens.length;
    if (this.size === 0 || this.size > MAX_VOCABULARY) {
      throw new NibbleError("bad_tokenizer", `vocabulary: expected 1 to ${MAX_VOCABULARY} tokens, got ${this.size}`);
    }
    const bytes = new Uint8Array(tokens.bytes.length);
    this.#offsets = new Uint32Array(this.size + 1);
    this.#found = new Uint8Array(this.size);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * this.size)));
    const others = new Set<string>();
    let at = 0;
    for (let id = 0; id < this.size; id++) {
      if (tokens.has(id)) {
        const start = at;
        const end = alphabet.write(tokens.bytes, tokens.start(id), tokens.end(id), bytes, start);
        at = end >= 0 ? end : ~end;
        if (end >= 0 ? !this.#insert(id, bytes, start, at) : others.has(tokens.at(id))) {
          throw new NibbleError(
            "bad_tokenizer",
            `vocabulary: expected every token once, got ${JSON.stringify(tokens.at(id))} again as id ${id}`,
          );
        }
        if (end < 0) others.add(tokens.at(id));
      }
      this.#offsets[id + 1] = at;
    }
    this.#bytes = bytes.slice(0, at);
  }

  /** The bytes that a token stands for, as a view; nothing for an id beyond the vocabulary. */
  bytesOf(id: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[id] ?? 0, this.#offsets[id + 1] ?? 0);
  }

  /** The token that stands for `bytes[start..end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(this.#bytes, bytes, start, end)]! - 1;
  }

  /** Whether `find` would give `id` for `bytes[0..end)`, looked up at the token itself. */
  is(id: number, bytes: Uint8Array, end: number): boolean {
    return this.#found[id] === 1 && this.#equals(id, this.#bytes, bytes, 0, end);
  }

  /** The token whose bytes are those of two tokens one after the other, or -1: also where they are more than `MAX_JOINED`. */
  findJoined(left: number, right: number): number {
    const leftLength = this.#offsets[left + 1]! - this.#offsets[left]!;
    const length = leftLength + this.#offsets[right + 1]! - this.#offsets[right]!;
    if (length > MAX_JOINED) return -1;
    const bytes = this.#bytes;
    const joined = this.#joined;
    let at = 0;
    for (let i = this.#offsets[left]!; at < leftLength; i++) joined[at++] = bytes[i]!;
    for (let i = this.#offsets[right]!; at < length; i++) joined[at++] = bytes[i]!;
    return this.find(joined, 0, length);
  }

  /** Which bytes stand in front of a space inside a token. */
  bytesBeforeSpaces(): Uint8Array {
    const found = new Uint8Array(256);
    for (let id = 0; id < this.size; id++) {
      for (let i = this.#offsets[id]! + 1; i < this.#offsets[id + 1]!; i++) {
        if (this.#bytes[i] === 0x20) found[this.#bytes[i - 1]!] = 1;
      }
    }
    return found;
  }

  get memoryBytes(): number {
    return this.#bytes.byteLength + this.#offsets.byteLength + this.#found.byteLength + this.#slots.byteLength;
  }

  #equals(id: number, stored: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.#offsets[id]! - start;
    if (this.#offsets[id + 1]! - offset !== end) return false;
    for (let i = start; i < end; i++) if (stored[offset + i] !== bytes[i]) return false;
    return true;
  }

  #insert(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const slot = this.#slotOf(bytes, bytes, start, end);
    if (this.#slots[slot] !== 0) return false;
    this.#slots[slot] = id + 1;
    this.#found[id] = 1;
    return true;
  }

  /** The slot that holds `bytes[start..end)`, or the free one where it belongs. Stored tokens lie in `stored`. */
  #slotOf(stored: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashBytes(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0) return slot;
      if (this.#equals(id, stored, bytes, start, end)) return slot;
    }
  }
}

/** Differs from run to run, so that a file cannot choose its collisions. Ids do not depend on it. */
export const HASH_SEED: number = Math.floor(Math.random() * 2 ** 32) | 0;

/** FNV-1a with a final mix (Fowler, Noll, Vo; the mix is MurmurHash3's). */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_SEED ^ 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mix(hash);
}

/** MurmurHash3's finaliser: every bit of the input reaches every bit of the result. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
