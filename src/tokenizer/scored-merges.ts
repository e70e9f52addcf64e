/**
 * The merges of SentencePiece's BPE: two neighbours can merge if their bytes together are a token, and the token with the
 * highest score is made first.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Merges } from "./merges.ts";
import { MAX_JOINED, type Vocabulary } from "./vocabulary.ts";

/** Whether a token takes part in merging: never, in the order of scores, or before all scores. */
export const mergeKind = { never: 0, byScore: 1, first: 2 } as const;

export class ScoredMerges implements Merges {
  readonly #vocabulary: Vocabulary;
  /** The place of each token in the order of scores, equal for equal scores; -1 for a token that never merges. */
  readonly #places: Int32Array;

  /**
   * @param scores one for each token
   * @param kinds one of `mergeKind` for each token
   * @throws NibbleError `bad_tokenizer` for a score that is not finite, or a token of more than `MAX_JOINED` bytes
   */
  constructor(vocabulary: Vocabulary, scores: ArrayLike<number>, kinds: Uint8Array) {
    this.#vocabulary = vocabulary;
    const sorted = new Float64Array(vocabulary.size);
    let count = 0;
    for (let id = 0; id < vocabulary.size; id++) {
      const score = scores[id]!;
      if (!Number.isFinite(score)) throw bad(`a finite score for id ${id}, got ${score}`);
      if (kinds[id] === mergeKind.byScore) sorted[count++] = -score;
      const { length } = vocabulary.bytesOf(id);
      if (kinds[id] !== mergeKind.never && length > MAX_JOINED) {
        throw bad(`at most ${MAX_JOINED} bytes for id ${id}, got ${length}`);
      }
    }
    const order = sorted.subarray(0, count).sort();
    this.#places = Int32Array.from(kinds, (kind, id) =>
      kind === mergeKind.never ? -1 : kind === mergeKind.first ? 0 : firstAtLeast(order, -scores[id]!) + 1,
    );
  }

  find(left: number, right: number): number {
    if (this.#places[left]! < 0 || this.#places[right]! < 0) return -1;
    const id = this.#vocabulary.findJoined(left, right);
    return id >= 0 && this.#places[id]! >= 0 ? id : -1;
  }

  priority(id: number): number {
    return this.#places[id]!;
  }

  result(id: number): number {
    return id;
  }
}

/** The first place in the ascending `order` whose value is at least `value`. */
function firstAtLeast(order: Float64Array, value: number): number {
  let low = 0;
  for (let high = order.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (order[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bad(expected: string): NibbleError {
  return new NibbleError("bad_tokenizer", `tokenizer.ggml.scores: expected ${expected}`);
}
