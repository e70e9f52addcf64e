/**
 * SentencePiece's unigram model (Kudo 2018): of all ways to cut a text into tokens, it takes the one whose scores have the
 * largest sum, by Viterbi's algorithm.
 * @module
 */
import { utf8Length, writeUtf8 } from "../base/utf8.ts";
import { LongestTokens } from "./longest-tokens.ts";
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
  readonly #longest: LongestTokens;

  constructor(vocabulary: Vocabulary, options: UnigramOptions) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    let least = Number.POSITIVE_INFINITY;
    for (let id = 0; id < vocabulary.size; id++) {
      if (!options.isText(id)) continue;
      least = Math.min(least, options.scores[id]!);
    }
    this.#longest = new LongestTokens(vocabulary, options.isText);
    this.#unknownScore = (Number.isFinite(least) ? least : 0) - UNKNOWN_PENALTY;
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
        best[to] = best[at]! + score;
        from[to] = at;
        token[to] = id;
      };
      const next = at + characterBytes(bytes[at]!);
      let hasCharacter = false;
      this.#vocabulary.findPrefixes(bytes, at, Math.min(length, at + this.#longest.at(bytes, at)), (id, to) => {
        if (!this.#options.isText(id)) return;
        if (to === next) hasCharacter = true;
        step(to, id, this.#options.scores[id]!);
      });
      if (!hasCharacter) step(next, -1, this.#unknownScore);
    }
    // The path leads backwards: `from` becomes the place where each of its tokens ends.
    for (let to = length, after = 0; to > 0; ) {
      const at = from[to]!;
      from[to] = after;
      [after, to] = [to, at];
      if (to === 0) from[0] = after;
    }
    this.#append({ ends: from, token, bytes }, ids);
  }

  #append({ ends, token, bytes }: Path, ids: number[]): void {
    const { byteFallback, unknownId } = this.#options;
    let wasUnknown = false;
    for (let at = 0; at < bytes.length; ) {
      const end = ends[at]!;
      const id = token[end]!;
      const spelled = id < 0 ? bytes.subarray(at, end) : undefined;
      if (spelled === undefined) ids.push(id);
      else if (spelled.every((byte) => byteFallback[byte]! >= 0))
        for (const byte of spelled) ids.push(byteFallback[byte]!);
      else if (!wasUnknown) ids.push(unknownId);
      wasUnknown = spelled !== undefined;
      at = end;
    }
  }
}

/** A piece that was cut. */
interface Path {
  /** Where the token ends that begins at a place. */
  readonly ends: Int32Array;
  /** The token that ends at a place, or -1 for an unknown character. */
  readonly token: Int32Array;
  readonly bytes: Uint8Array;
}

/** How many bytes the character has whose first byte is `lead`. */
function characterBytes(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
