/**
 * The merge table: from a pair of neighbouring tokens to its rank and to the token that it becomes.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { StringTable } from "../formats/string-table.ts";
import { type ByteBuffer, HASH_SEED, mix, type Vocabulary } from "./vocabulary.ts";

/** How a file lists its merges: as `"a b"`, like GGUF and older tokenizer.json, or in two strings each. */
export interface MergeList {
  readonly strings: StringTable;
  readonly inPairs: boolean;
}

/** Which pairs of neighbouring tokens can become one, and in which order. */
export interface Merges {
  /** The merge of a pair, or -1. */
  find(left: number, right: number): number;
  /** Its place in the order. The merge with the least is applied first, and among equals the leftmost. */
  priority(merge: number): number;
  /** The token that it gives. */
  result(merge: number): number;
}

/** The merges that a file lists. A merge is known by its rank. */
export class MergeTable implements Merges {
  readonly #results: Int32Array;
  /**
   * A hash table with open addressing and linear probing, at most three quarters full. An entry is three numbers side by
   * side, because a look-up costs little but its cache misses: left, right, and rank + 1, which is 0 where it is free.
   * Llama 3's table is 0.53 full. One that is 0.75 full would save 1.8 MB, but encoding would take a quarter longer.
   */
  readonly #entries: Int32Array;
  readonly #mask: number;

  /**
   * @param merges in order of rank: the first is applied first. If a pair is listed twice, the later rank counts.
   * @throws NibbleError `bad_tokenizer` for a merge that is not two tokens, or whose parts or result are not in the
   *   vocabulary. Hugging Face refuses such files too. As a merge always has the bytes of its parts, no file can make
   *   merging go in circles.
   */
  constructor(vocabulary: Vocabulary, merges: MergeList) {
    const count = merges.inPairs ? merges.strings.length / 2 : merges.strings.length;
    const capacity = 2 ** Math.ceil(Math.log2((count * 4) / 3 + 1));
    this.#results = new Int32Array(count);
    this.#entries = new Int32Array(3 * capacity);
    this.#mask = capacity - 1;
    const reader = new MergeReader(vocabulary, merges);
    for (let rank = 0; rank < count; rank++) {
      reader.read(rank);
      const entry = this.#entryOf(reader.left, reader.right);
      this.#results[rank] = reader.result;
      this.#entries[entry] = reader.left;
      this.#entries[entry + 1] = reader.right;
      this.#entries[entry + 2] = rank + 1;
    }
  }

  find(left: number, right: number): number {
    return this.#entries[this.#entryOf(left, right) + 2]! - 1;
  }

  priority(rank: number): number {
    return rank;
  }

  result(rank: number): number {
    return this.#results[rank]!;
  }

  get memoryBytes(): number {
    return this.#results.byteLength + this.#entries.byteLength;
  }

  /** The index at which the entry of a pair begins, or else the free entry where it belongs. */
  #entryOf(left: number, right: number): number {
    const entries = this.#entries;
    const hash = mix(Math.imul(left ^ HASH_SEED, 0x9e3779b1) + right);
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = 3 * place;
      if ((entries[at] === left && entries[at + 1] === right) || entries[at + 2] === 0) return at;
    }
  }
}

const SPACE = 0x20;

/** Looks the merges of a list up in the vocabulary, in order of rank. */
class MergeReader {
  left = -1;
  right = -1;
  /** Before the first merge, no token. */
  result = -1;
  readonly #vocabulary: Vocabulary;
  readonly #merges: MergeList;
  #parts: ByteBuffer = { bytes: new Uint8Array(256), length: 0 };

  constructor(vocabulary: Vocabulary, merges: MergeList) {
    this.#vocabulary = vocabulary;
    this.#merges = merges;
  }

  /** @throws NibbleError `bad_tokenizer` */
  read(rank: number): void {
    const { strings, inPairs } = this.#merges;
    const { bytes } = strings;
    const first = inPairs ? 2 * rank : rank;
    const start = strings.start(first);
    const end = strings.end(inPairs ? first + 1 : first);
    let leftEnd = strings.end(first);
    if (!inPairs) for (leftEnd = start + 1; leftEnd < end && bytes[leftEnd] !== SPACE; ) leftEnd++;
    const rightStart = inPairs ? leftEnd : leftEnd + 1;
    if (leftEnd <= start || rightStart >= end) throw this.#bad(rank, (merge) => `expected two tokens, got ${merge}`);
    if (this.#parts.bytes.length < end - start) this.#parts = { bytes: new Uint8Array(2 * (end - start)), length: 0 };
    this.#parts.length = 0;
    const { alphabet } = this.#vocabulary;
    const leftFindable = alphabet.write(bytes, start, leftEnd, this.#parts);
    const middle = this.#parts.length;
    const rightFindable = alphabet.write(bytes, rightStart, end, this.#parts);
    if (!leftFindable || !rightFindable || !this.#find(middle)) {
      throw this.#bad(rank, (merge) => `both parts of ${merge} and their result must be in the vocabulary`);
    }
  }

  /** Looks up the parts, which meet at `middle`, and their result. Returns false if one of the three is missing. */
  #find(middle: number): boolean {
    const { bytes, length } = this.#parts;
    const vocabulary = this.#vocabulary;
    this.left = vocabulary.find(bytes, 0, middle);
    this.right = vocabulary.find(bytes, middle, length);
    // Files list the merges of one token together, and tokens by id. Trying the last result and the one after it first
    // saves a third of the time.
    if (this.result >= 0 && !vocabulary.is(this.result, bytes, length)) this.result++;
    if (!vocabulary.is(this.result, bytes, length)) this.result = vocabulary.find(bytes, 0, length);
    return this.left >= 0 && this.right >= 0 && this.result >= 0;
  }

  #bad(rank: number, message: (merge: string) => string): NibbleError {
    const { strings, inPairs } = this.#merges;
    const merge = inPairs ? [strings.at(2 * rank), strings.at(2 * rank + 1)] : strings.at(rank);
    return new NibbleError("bad_tokenizer", `merge ${rank}: ${message(JSON.stringify(merge))}`);
  }
}
