/**
 * Byte-pair encoding (Sennrich et al. 2016). Merging begins with bytes, as in GPT-2, or with characters, as in
 * SentencePiece.
 * @module
 */
import { utf8Length, writeUtf8 } from "../base/utf8.ts";
import { LongestTokens } from "./longest-tokens.ts";
import type { Merges } from "./merges.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface BytePairOptions {
  /** Whether a piece that is a token as it stands becomes that token, whatever the merges say (as in Llama 3). */
  readonly ignoreMerges: boolean;
  /** The tokens that a whole piece can become by `ignoreMerges` (default: all). */
  readonly isWhole?: (id: number) => boolean;
  /** Replaces a byte or character without a token. If undefined, these vanish, as in Hugging Face and llama.cpp. */
  readonly unknownId: number | undefined;
  /** Whether a run of unknown characters becomes one unknown token. */
  readonly fuseUnknown: boolean;
  /**
   * The token of each of the 256 bytes, or -1, to spell a character that has no token. If given, merging begins with
   * characters; if not, with bytes.
   */
  readonly byteFallback?: Int32Array;
}

/**
 * A heap entry is `priority * POSITIONS + position`, so that the least priority comes first, and of equals the leftmost.
 * It is exact in a double, because it is below 2^53.
 */
const POSITIONS = 2 ** 31;
/** UTF-16 units of a piece that takes milliseconds. */
const LONG_PIECE = 1 << 14;
/** A workspace for a piece of more bytes than this is not kept for the next piece. */
const KEPT_BYTES = 1 << 14;

export class BytePairEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #options: BytePairOptions;
  /** The token of each byte, or -1. */
  readonly #byteIds: Int32Array;
  #longest: LongestTokens | undefined;
  #work = new Workspace(256);

  constructor(vocabulary: Vocabulary, merges: Merges, options: BytePairOptions) {
    this.#vocabulary = vocabulary;
    this.#merges = merges;
    this.#options = options;
    this.#byteIds =
      options.byteFallback ?? Int32Array.from({ length: 256 }, (_, byte) => vocabulary.find(Uint8Array.of(byte), 0, 1));
  }

  /** A short piece takes no time, so it is not looked at. Bytes without a token may vanish: of a piece with such, nothing is known. */
  fewest(text: string, start: number, end: number): number {
    if (end - start < LONG_PIECE) return 0;
    const bytes = new Uint8Array(utf8Length(text, start, end));
    writeUtf8(text, start, end, bytes);
    if (bytes.some((byte) => this.#byteIds[byte]! < 0)) return 0;
    this.#longest ??= new LongestTokens(this.#vocabulary);
    return this.#longest.fewest(bytes);
  }

  /** Appends the ids of the piece `text[start..end)` to `ids`. Takes O(n log n) in its length, without recursion. */
  encode(text: string, start: number, end: number, ids: number[]): void {
    if (this.#work.capacity < 3 * (end - start)) {
      const room = utf8Length(text, start, end);
      if (this.#work.capacity < room) this.#work = new Workspace(room > KEPT_BYTES ? room : 2 * room);
    }
    const { bytes } = this.#work;
    const length = writeUtf8(text, start, end, bytes);
    const whole = this.#options.ignoreMerges ? this.#vocabulary.find(bytes, 0, length) : -1;
    if (whole >= 0 && (this.#options.isWhole?.(whole) ?? true)) ids.push(whole);
    else this.#merge(length, ids);
    if (this.#work.capacity > KEPT_BYTES) this.#work = new Workspace(256);
  }

  /** Appends the ids of the workspace's first `length` bytes. */
  #merge(length: number, ids: number[]): void {
    const count = this.#options.byteFallback === undefined ? this.#bytes(length) : this.#characters(length);
    this.#findPairs(count);
    this.#mergePairs(count);
    const { id, next } = this.#work;
    for (let i = 0; i < count; i = next[i]!) ids.push(id[i]!);
  }

  /** Links the first `count` tokens into a list, and pushes each pair that can merge onto the heap. */
  #findPairs(count: number): void {
    const { id, next, previous, merge, heap } = this.#work;
    const merges = this.#merges;
    heap.clear();
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      merge[i] = i + 1 < count ? merges.find(id[i]!, id[i + 1]!) : -1;
      if (merge[i]! >= 0) heap.push(merges.priority(merge[i]!) * POSITIONS + i);
    }
  }

  /** Merges pairs in the order of their priority until no pair can merge. */
  #mergePairs(count: number): void {
    const { id, next, previous, merge, heap } = this.#work;
    const merges = this.#merges;
    while (heap.size > 0) {
      const entry = heap.pop();
      const priority = Math.floor(entry / POSITIONS);
      const at = entry - priority * POSITIONS;
      // One of the two tokens has been merged with its other neighbour since.
      if (merge[at]! < 0 || merges.priority(merge[at]!) !== priority) continue;
      const gone = next[at]!;
      const after = next[gone]!;
      id[at] = merges.result(merge[at]!);
      next[at] = after;
      merge[gone] = -1;
      if (after < count) previous[after] = at;
      const right = after < count ? merges.find(id[at]!, id[after]!) : -1;
      merge[at] = right;
      if (right >= 0) heap.push(merges.priority(right) * POSITIONS + at);
      const before = previous[at]!;
      if (before < 0) continue;
      const left = merges.find(id[before]!, id[at]!);
      merge[before] = left;
      if (left >= 0) heap.push(merges.priority(left) * POSITIONS + before);
    }
  }

  /** Writes the token of each byte. Returns how many there are. */
  #bytes(length: number): number {
    const { bytes, id } = this.#work;
    const { unknownId, fuseUnknown } = this.#options;
    let count = 0;
    let fusing = false;
    for (let i = 0; i < length; i++) {
      const byteId = this.#byteIds[bytes[i]!]!;
      if (byteId >= 0) id[count++] = byteId;
      else if (unknownId !== undefined && !fusing) id[count++] = unknownId;
      fusing = byteId < 0 && fuseUnknown;
    }
    return count;
  }

  /** Writes the token of each character, or the tokens of its bytes. Returns how many there are. */
  #characters(length: number): number {
    const { bytes, id } = this.#work;
    const { unknownId, fuseUnknown } = this.#options;
    let count = 0;
    let fusing = false;
    for (let start = 0, end = 0; start < length; start = end) {
      end = start + sequenceLength(bytes[start]!);
      const whole = this.#vocabulary.find(bytes, start, end);
      if (whole >= 0) id[count++] = whole;
      const known = whole >= 0 || this.#fallBack(start, end, count);
      if (whole < 0 && known) count += end - start;
      if (!known && unknownId !== undefined && !fusing) id[count++] = unknownId;
      fusing = !known && fuseUnknown;
    }
    return count;
  }

  /** Writes the byte tokens of a character from `id[at]` on. Returns false, and writes nothing, if one of them is missing. */
  #fallBack(start: number, end: number, at: number): boolean {
    const { bytes, id } = this.#work;
    for (let i = start; i < end; i++) if (this.#byteIds[bytes[i]!]! < 0) return false;
    for (let i = start; i < end; i++) id[at++] = this.#byteIds[bytes[i]!]!;
    return true;
  }
}

/** How many bytes the UTF-8 sequence has that begins with `lead`. */
const sequenceLength = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);

/** The arrays for merging a piece of up to `capacity` bytes. They take 33 bytes per byte of the piece. */
class Workspace {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  /** A doubly linked list of tokens. A merged pair stays in the place of its left token. */
  readonly id: Int32Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** The merge of the pair whose left token stands here, or -1. */
  readonly merge: Int32Array;
  /** n bytes have at most n - 1 pairs; each of at most n - 1 merges then takes one pair away and adds up to two. */
  readonly heap: MinHeap;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity);
    this.id = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.merge = new Int32Array(capacity);
    this.heap = new MinHeap(2 * capacity);
  }
}

/** A binary heap of numbers with the least on top. */
class MinHeap {
  size = 0;
  readonly #items: Float64Array;

  constructor(capacity: number) {
    this.#items = new Float64Array(capacity);
  }

  clear(): void {
    this.size = 0;
  }

  push(item: number): void {
    const items = this.#items;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): number {
    const items = this.#items;
    const top = items[0]!;
    const item = items[--this.size]!;
    let at = 0;
    for (let child = 1; child < this.size; child = 2 * at + 1) {
      if (child + 1 < this.size && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= item) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
    return top;
  }
}
