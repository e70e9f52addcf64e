/**
 * SentencePiece's unigram model (Kudo 2018): of all ways to cut a text into tokens, it takes the one whose scores have the
 * largest sum, by Viterbi's algorithm.
 * @module
 */
import { utf8Length, writeUtf8 } from "../base/utf8.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface UnigramOptions {
  /** The score of each token. */
  readonly scores: ArrayLike<number>;
  /** Whether text can become each token. */
  readonly isText: (id: number) => boolean;
  /** Stands for characters without a token. A run of them becomes one. */
  readonly unknownId: number;
  /** The token of each of the 256 bytes, or -1: they spell a character that has no token. */
  readonly byteFallback: Int32Array;
}

/** How much worse an unknown character is than the worst token, as in SentencePiece. */
const UNKNOWN_PENALTY = 10;

export class UnigramEncoder {
  readonly #vocabulary: Vocabulary;
  readonly #options: UnigramOptions;
  readonly #unknownScore: number;
  readonly #longest: number;

  constructor(vocabulary: Vocabulary, options: UnigramOptions) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    let [least, longest] = [Number.POSITIVE_INFINITY, 1];
    for (let id = 0; id < vocabulary.size; id++) {
      if (!options.isText(id)) continue;
      least = Math.min(least, options.scores[id]!);
      longest = Math.max(longest, vocabulary.bytesOf(id).length);
    }
    this.#unknownScore = (Number.isFinite(least) ? least : 0) - UNKNOWN_PENALTY;
    this.#longest = longest;
  }

  /** Appends the ids of the piece `text[start..end)`. Takes time in its length times that of the longest token. */
  encode(text: string, start: number, end: number, ids: number[]): void {
    const bytes = new Uint8Array(utf8Length(text, start, end));
    const length = writeUtf8(text, start, end, bytes);
    const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
    const from = new Int32Array(length + 1);
    const token = new Int32Array(length + 1);
    best[0] = 0;
    for (let at = 0; at < length; at++) {
      if (best[at] === Number.NEGATIVE_INFINITY) continue; // inside of a character
      const step = (to: number, id: number, score: number): void => {
        if (best[at]! + score <= best[to]!) return;
        [best[to], from[to], token[to]] = [best[at]! + score, at, id];
      };
      const next = at + characterBytes(bytes[at]!);
      let hasCharacter = false;
      for (let to = at + 1; to <= Math.min(length, at + this.#longest); to++) {
        const id = this.#vocabulary.find(bytes, at, to);
        if (id < 0 || !this.#options.isText(id)) continue;
        if (to === next) hasCharacter = true;
        step(to, id, this.#options.scores[id]!);
      }
      if (!hasCharacter) step(next, -1, this.#unknownScore);
    }
    const path: [at: number, id: number][] = [];
    for (let to = length; to > 0; to = from[to]!) path.push([from[to]!, token[to]!]);
    this.#append(path.reverse(), bytes, ids);
  }

  #append(path: readonly [at: number, id: number][], bytes: Uint8Array, ids: number[]): void {
    const { byteFallback, unknownId } = this.#options;
    let wasUnknown = false;
    for (const [i, [at, id]] of path.entries()) {
      const spelled = id < 0 ? bytes.subarray(at, path[i + 1]?.[0] ?? bytes.length) : undefined;
      if (spelled === undefined) ids.push(id);
      else if (spelled.every((byte) => byteFallback[byte]! >= 0))
        for (const byte of spelled) ids.push(byteFallback[byte]!);
      else if (!wasUnknown) ids.push(unknownId);
      wasUnknown = spelled !== undefined;
    }
  }
}

/** How many bytes the character has whose first byte is `lead`. */
function characterBytes(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
