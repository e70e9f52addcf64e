/**
 * The compiled character map of a SentencePiece normaliser, such as `nmt_nfkc`: sequences of characters and what replaces
 * them. It is a double-array trie (Aoe 1989) in the layout of the library Darts-clone, followed by the replacements, each of
 * which ends with a zero byte (google/sentencepiece, src/builder.h and src/normalizer.cc).
 *
 * SentencePiece replaces the longest sequence at each place. This follows Hugging Face's `tokenizers` instead (its normaliser
 * `Precompiled`), which looks up each grapheme cluster (Unicode Standard Annex 29) of less than six bytes, takes the shortest
 * sequence that the cluster begins with, and drops the rest of the cluster; other clusters are looked up character by
 * character.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { decodeUtf8, utf8Length, writeUtf8 } from "../base/utf8.ts";
import { characterClasses, unitsAt } from "./unicode.ts";
import { MARK } from "./unicode-flags.ts";

/** Clusters of so many bytes of UTF-8 or more are looked up character by character. */
const LONG_CLUSTER = 6;

/** Most bytes of a replacement, so that a map cannot make texts of any length. The longest one of `nmt_nfkc` has 33. */
const MAX_REPLACEMENT = 64;

/** The parts of a unit of the trie. */
const labelOf = (unit: number): number => unit & 0x800000ff;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
const hasValue = (unit: number): boolean => (unit & 0x100) !== 0;
const numberOf = (unit: number): number => unit & 0x7fffffff;
const isValue = (unit: number): boolean => unit >>> 31 === 1;

/** Ranges of characters after which a cluster ends, whatever follows: Grapheme_Cluster_Break is Control. */
const CONTROL = [
  ...[0, 0x1f, 0x7f, 0x9f, 0xad, 0xad, 0x61c, 0x61c, 0x180e, 0x180e, 0x200b, 0x200b, 0x200e, 0x200f],
  ...[0x2028, 0x202e, 0x2060, 0x206f, 0xfeff, 0xfeff, 0xfff0, 0xfffb],
];
/** Ranges of characters that extend a cluster, beside those of the general category M. */
const EXTENDING = [0xe33, 0xe33, 0xeb3, 0xeb3, 0x200c, 0x200d, 0xff9e, 0xff9f, 0x1f3fb, 0x1f3ff];

/** Whether a character is in one of the ranges, each of which has two entries: its first and its last character. */
const isIn = (ranges: readonly number[], character: number): boolean =>
  ranges.some((first, i) => i % 2 === 0 && first <= character && character <= ranges[i + 1]!);

export class Charsmap {
  readonly #units: Uint32Array;
  /** The replacements by their places. */
  readonly #replacements = new Map<number, string>();
  readonly #bytes = new Uint8Array(LONG_CLUSTER);
  /** Which ASCII characters begin a sequence of the map. */
  readonly #begins: readonly boolean[];

  /**
   * @param bytes the length of the trie in bytes (u32, little-endian), the trie, and the replacements
   * @throws NibbleError `bad_tokenizer` for a damaged map
   */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || size > bytes.length - 4)
      throw bad(`expected a trie of whole units within ${bytes.length} bytes, got one of ${size} bytes`);
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#readReplacements(bytes.subarray(4 + size));
    this.#begins = Array.from({ length: 128 }, (_, byte) => this.#step(offsetOf(this.#units[0]!), byte) >= 0);
  }

  /**
   * Every value must be the place of a replacement, so that a lookup needs no checks of its own. Since a replacement begins
   * where another one ends, all of them together are no longer than the map.
   */
  #readReplacements(texts: Uint8Array): void {
    const units = this.#units;
    for (const [i, unit] of units.entries()) {
      if (isValue(unit) || !hasValue(unit)) continue;
      const place = numberOf(units[i ^ offsetOf(unit)] ?? texts.length);
      if (this.#replacements.has(place)) continue;
      const begins = place < texts.length && (place === 0 || texts[place - 1] === 0);
      const end = begins ? texts.indexOf(0, place) : -1;
      if (end < 0) throw bad(`unit ${i} of the trie leads to no replacement`);
      if (end - place > MAX_REPLACEMENT)
        throw bad(`expected replacements of at most ${MAX_REPLACEMENT} bytes, got one of ${end - place}`);
      this.#replacements.set(place, decodeUtf8(texts.subarray(place, end), "precompiled_charsmap"));
    }
  }

  /** The text with its characters replaced. Takes linear time. */
  normalize(text: string): string {
    let result = "";
    let copied = 0;
    for (let at = 0; at < text.length; ) {
      const unit = text.charCodeAt(at);
      const isPlain = unit < 0x80 && text.charCodeAt(at + 1) < 0x80 && unit !== 13 && !this.#begins[unit];
      const end = isPlain ? at + 1 : clusterEnd(text, at);
      if (!isPlain) {
        const replaced = this.#cluster(text, at, end);
        if (replaced !== undefined) {
          result += text.slice(copied, at) + replaced;
          copied = end;
        }
      }
      at = end;
    }
    return result + text.slice(copied);
  }

  /** What replaces the cluster `text[start..end)`; undefined if it stays. */
  #cluster(text: string, start: number, end: number): string | undefined {
    const whole = this.#replacement(text, start, end);
    if (whole !== undefined) return whole;
    let result = "";
    let changes = false;
    for (let at = start; at < end; ) {
      const next = at + unitsAt(text, at);
      const replaced = this.#replacement(text, at, next);
      if (replaced !== undefined) changes = true;
      result += replaced ?? text.slice(at, next);
      at = next;
    }
    return changes ? result : undefined;
  }

  /** The replacement of the shortest sequence that a text of less than six bytes begins with. */
  #replacement(text: string, start: number, end: number): string | undefined {
    if (end - start >= LONG_CLUSTER || utf8Length(text, start, end) >= LONG_CLUSTER) return undefined;
    const length = writeUtf8(text, start, end, this.#bytes);
    const units = this.#units;
    let place = offsetOf(units[0]!);
    for (let i = 0; i < length; i++) {
      place = this.#step(place, this.#bytes[i]!);
      if (place < 0) return undefined;
      const unit = units[place]!;
      place ^= offsetOf(unit);
      if (hasValue(unit)) return this.#replacements.get(numberOf(units[place]!));
    }
    return undefined;
  }

  /** The unit behind `byte`, or -1. */
  #step(place: number, byte: number): number {
    const next = place ^ byte;
    return byte !== 0 && next < this.#units.length && labelOf(this.#units[next]!) === byte ? next : -1;
  }
}

/**
 * The end of the grapheme cluster that begins at `start`. Clusters that have six bytes whatever follows, such as those of
 * Hangul syllables and flags, are cut into characters here, since they are looked up so.
 */
function clusterEnd(text: string, start: number): number {
  if (text.startsWith("\r\n", start)) return start + 2;
  const first = start + unitsAt(text, start);
  if (isIn(CONTROL, text.codePointAt(start)!)) return first;
  const classes = characterClasses();
  let end = first;
  while (end < text.length) {
    const character = text.codePointAt(end)!;
    if ((classes.flags(character) & MARK) === 0 && !isIn(EXTENDING, character)) break;
    end += unitsAt(text, end);
  }
  return end;
}

const bad = (what: string): NibbleError => new NibbleError("bad_tokenizer", `precompiled_charsmap: ${what}`);
