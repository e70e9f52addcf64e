/**
 * Token ids to bytes and back, in flat arrays: 128,000 tokens take less than 3 MB. As strings in a Map they took 15 MB.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { StringTable } from "../formats/string-table.ts";

/** Twice the largest published vocabulary, rounded up. A larger id is refused before anything is allocated. */
export const MAX_VOCABULARY: number = 1 << 20;

/** Bytes of the longest token that `findJoined` returns, which bounds its time. Gemma's longest token has 93. */
export const MAX_JOINED = 1024;

/** Bytes that are written one after the other. */
export interface ByteBuffer {
  readonly bytes: Uint8Array;
  /** How many of them have been written. */
  length: number;
}

/** How a vocabulary spells the bytes that its tokens stand for. */
export interface Alphabet {
  /**
   * Appends to `target` the bytes of the token that is spelled `spelling[start..end)` in UTF-8. They are never more than
   * those of its spelling.
   * @returns whether text can become this token by having these bytes; false for a byte token of SentencePiece
   */
  write(spelling: Uint8Array, start: number, end: number, target: ByteBuffer): boolean;
}

export class Vocabulary {
  readonly alphabet: Alphabet;
  /** One more than the largest id. Ids without a token stand for no bytes. */
  readonly size: number;
  /** The bytes of all tokens, in the order of their ids. */
  #bytes: Uint8Array;
  /** Where the bytes of each token begin; one more entry is where the last ones end. */
  readonly #offsets: Uint32Array;
  /** 1 for the tokens that `find` can return. */
  readonly #findable: Uint8Array;
  readonly #joined = new Uint8Array(MAX_JOINED);
  /** A hash table with open addressing and linear probing, at most half full. An entry is id + 1, or 0 where it is free. */
  readonly #entries: Int32Array;

  /**
   * @param tokens by id, as the file spells them
   * @param isHidden tells the ids that no text becomes by its bytes, such as added tokens that the model's own vocabulary
   *   lacks: they are found as a whole, in front of everything else (`AddedTokenMatcher`), or not at all
   * @throws NibbleError `bad_tokenizer` for a vocabulary without tokens, with too many, or with a token twice
   */
  constructor(tokens: StringTable, alphabet: Alphabet, isHidden: (id: number) => boolean = () => false) {
    this.alphabet = alphabet;
    this.size = tokens.length;
    if (this.size === 0 || this.size > MAX_VOCABULARY) {
      throw new NibbleError("bad_tokenizer", `vocabulary: expected 1 to ${MAX_VOCABULARY} tokens, got ${this.size}`);
    }
    this.#bytes = new Uint8Array(tokens.bytes.length);
    this.#offsets = new Uint32Array(this.size + 1);
    this.#findable = new Uint8Array(this.size);
    this.#entries = new Int32Array(2 ** Math.ceil(Math.log2(2 * this.size)));
    const target: ByteBuffer = { bytes: this.#bytes, length: 0 };
    /** Spellings of the tokens that cannot be found by their bytes. */
    const others = new Set<string>();
    for (let id = 0; id < this.size; id++) {
      if (tokens.has(id)) {
        const isText = alphabet.write(tokens.bytes, tokens.start(id), tokens.end(id), target);
        const findable = isText && !isHidden(id);
        const isNew = findable ? this.#insert(id, target.length) : !others.has(tokens.at(id));
        if (!isNew) throw twice(tokens.at(id), id);
        if (!findable) others.add(tokens.at(id));
      }
      this.#offsets[id + 1] = target.length;
    }
    this.#bytes = this.#bytes.slice(0, target.length);
  }

  /** The bytes that a token stands for, as a view. An id beyond the vocabulary has none. */
  bytesOf(id: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[id] ?? 0, this.#offsets[id + 1] ?? 0);
  }

  /** The bytes that a token of this spelling would stand for. */
  bytesOfSpelling(text: string): Uint8Array {
    const spelling = new TextEncoder().encode(text);
    const target: ByteBuffer = { bytes: new Uint8Array(spelling.length), length: 0 };
    this.alphabet.write(spelling, 0, spelling.length, target);
    return target.bytes.slice(0, target.length);
  }

  /** The token that stands for `bytes[start..end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#entries[this.#entryOf(bytes, start, end)]! - 1;
  }

  /** Calls `found` for each token that `bytes` has from `start` on, the shortest first, up to the place `end`. */
  findPrefixes(bytes: Uint8Array, start: number, end: number, found: (id: number, to: number) => void): void {
    let hash = FIRST_HASH;
    for (let to = start + 1; to <= end; to++) {
      hash = hashOn(hash, bytes[to - 1]!);
      const id = this.#entries[this.#entryAt(mix(hash), bytes, start, to)]! - 1;
      if (id >= 0) found(id, to);
    }
  }

  /** Whether `find` would return `id` for `bytes[0..end)`. It compares with this one token only, so it is faster. */
  is(id: number, bytes: Uint8Array, end: number): boolean {
    return this.#findable[id] === 1 && this.#equals(id, bytes, 0, end);
  }

  /** The token whose bytes are those of `left` and then those of `right`, or -1. At most `MAX_JOINED` bytes are joined. */
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

  /** For each of the 256 bytes, 1 if some token has it in front of a space. */
  bytesBeforeSpaces(): Uint8Array {
    const found = new Uint8Array(256);
    for (let id = 0; id < this.size; id++) {
      for (let i = this.#offsets[id]! + 1; i < this.#offsets[id + 1]!; i++) {
        if (this.#bytes[i] === 0x20) found[this.#bytes[i - 1]!] = 1;
      }
    }
    return found;
  }

  /** Bytes of the longest token. */
  get longest(): number {
    let most = 0;
    for (let id = 0; id < this.size; id++) most = Math.max(most, this.#offsets[id + 1]! - this.#offsets[id]!);
    return most;
  }

  get memoryBytes(): number {
    return this.#bytes.byteLength + this.#offsets.byteLength + this.#findable.byteLength + this.#entries.byteLength;
  }

  /** Whether the token's bytes are `bytes[start..end)`. */
  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.#offsets[id]! - start;
    if (this.#offsets[id + 1]! - offset !== end) return false;
    for (let i = start; i < end; i++) if (this.#bytes[offset + i] !== bytes[i]) return false;
    return true;
  }

  /** Enters a token whose bytes end at `end`. Returns false if another token has the same bytes. */
  #insert(id: number, end: number): boolean {
    const entry = this.#entryOf(this.#bytes, this.#offsets[id]!, end);
    if (this.#entries[entry] !== 0) return false;
    this.#entries[entry] = id + 1;
    this.#findable[id] = 1;
    return true;
  }

  /** The entry that holds `bytes[start..end)`, or the free one where it belongs. */
  #entryOf(bytes: Uint8Array, start: number, end: number): number {
    let hash = FIRST_HASH;
    for (let i = start; i < end; i++) hash = hashOn(hash, bytes[i]!);
    return this.#entryAt(mix(hash), bytes, start, end);
  }

  #entryAt(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#entries.length - 1;
    for (let entry = hash & mask; ; entry = (entry + 1) & mask) {
      const id = this.#entries[entry]! - 1;
      if (id < 0 || this.#equals(id, bytes, start, end)) return entry;
    }
  }
}

function twice(token: string, id: number): NibbleError {
  return new NibbleError(
    "bad_tokenizer",
    `vocabulary: id ${id} has the token ${JSON.stringify(token)} again; each token has one id`,
  );
}

/** Differs from run to run, so that a file cannot choose tokens that collide. Ids do not depend on it. */
export const HASH_SEED: number = Math.floor(Math.random() * 2 ** 32) | 0;

/** FNV-1a (Fowler, Noll and Vo), which MurmurHash3's finalizer ends: the hash of no bytes, and with one byte more. */
const FIRST_HASH = HASH_SEED ^ 0x811c9dc5;
const hashOn = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

/** MurmurHash3's 32-bit finalizer (Appleby): every bit of the input changes every bit of the result. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
