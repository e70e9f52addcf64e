/**
 * The tokens that may come next, while samplers narrow them down.
 * @module
 */
import { NibbleError } from "../errors.ts";

/** Buffers for one vocabulary, used again for every token of every request (sampling never waits in the middle). */
export class Candidates {
  readonly ids: Uint32Array;
  readonly logits: Float64Array;
  /** Room for a weight each; only valid inside one sampler. */
  readonly weights: Float64Array;
  size = 0;
  /** Best first. Otherwise in order of ids. */
  sorted = false;

  constructor(vocabSize: number) {
    this.ids = new Uint32Array(vocabSize);
    this.logits = new Float64Array(vocabSize);
    this.weights = new Float64Array(vocabSize);
  }

  /**
   * All tokens with the model's logits.
   * @throws NibbleError `non_finite_logits`
   */
  load(logits: Float32Array): void {
    for (let id = 0; id < logits.length; id++) {
      const logit = logits[id]!;
      if (logit - logit !== 0) throw nonFinite(logit, id);
      this.ids[id] = id;
      this.logits[id] = logit;
    }
    this.size = logits.length;
    this.sorted = false;
  }

  /** Keeps the candidates at these positions, in this order. */
  keep(positions: Uint32Array, sorted: boolean): void {
    const ids = new Uint32Array(positions.length);
    const logits = new Float64Array(positions.length);
    for (let i = 0; i < positions.length; i++) {
      ids[i] = this.ids[positions[i]!]!;
      logits[i] = this.logits[positions[i]!]!;
    }
    this.ids.set(ids);
    this.logits.set(logits);
    this.size = positions.length;
    this.sorted = sorted;
  }
}

export function nonFinite(logit: number, id: number): NibbleError {
  return new NibbleError("non_finite_logits", `expected finite logits, got ${logit} for token ${id}`);
}

/**
 * Positions of the `k` largest of the first `size` values, best first; of equals the lower position wins.
 * A heap of k keeps the worst at its root: O(size log k), and about O(size) in practice. No sort of a whole vocabulary.
 */
export function largest(values: Float64Array | Float32Array, size: number, k: number): Uint32Array {
  k = Math.min(k, size);
  const heap = new Uint32Array(k);
  const better = (a: number, b: number) => values[a]! > values[b]! || (values[a]! === values[b]! && a < b);
  const sink = (root: number) => {
    const item = heap[root]!;
    for (;;) {
      let child = 2 * root + 1;
      if (child >= k) break;
      if (child + 1 < k && better(heap[child]!, heap[child + 1]!)) child++;
      if (!better(item, heap[child]!)) break;
      heap[root] = heap[child]!;
      root = child;
    }
    heap[root] = item;
  };
  for (let i = 0; i < k; i++) heap[i] = i;
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(i);
  for (let i = k; k > 0 && i < size; i++) {
    if (values[i]! > values[heap[0]!]!) {
      heap[0] = i;
      sink(0);
    }
  }
  return heap.sort((a, b) => values[b]! - values[a]! || a - b);
}
