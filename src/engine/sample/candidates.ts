/**
 * The tokens that may come next, while samplers narrow them down.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { exp } from "../../base/math.ts";
import type { TokenMask } from "./token-mask.ts";

/** The candidates, in buffers for one vocabulary. All requests share them, because sampling a token is synchronous. */
export class Candidates {
  readonly ids: Uint32Array;
  /** Logits after the steps so far; not yet divided by `temperature`. */
  readonly logits: Float64Array;
  /** One weight per candidate, after `weigh` and until the candidates change. */
  readonly weights: Float64Array;
  /** All ids, in order. */
  readonly #all: Uint32Array;
  size = 0;
  /**
   * Whether candidates are sorted best first (of equals the lower id first). Otherwise they are in the order of their
   * ids.
   */
  sorted = false;
  /** Probabilities are softmax(logits / temperature). */
  temperature = 1;

  constructor(vocabSize: number) {
    this.#all = Uint32Array.from({ length: vocabSize }, (_, id) => id);
    this.ids = this.#all.slice();
    this.logits = new Float64Array(vocabSize);
    this.weights = new Float64Array(vocabSize);
  }

  /**
   * Begins a new token: all tokens are candidates with the model's logits, or only those in `mask`. Logits of other
   * tokens are not read.
   * @throws NibbleError `non_finite_logits`
   */
  reset(logits: Float32Array, mask?: TokenMask): void {
    this.size = 0;
    this.sorted = false;
    this.temperature = 1;
    if (!mask) {
      checkFinite(logits);
      this.ids.set(this.#all);
      this.logits.set(logits);
      this.size = logits.length;
    } else {
      for (let word = 0; word < mask.length; word++) {
        const id = word * 32;
        if (mask[word] === 0xffffffff) this.#append(logits, id, id + 32);
        else for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) this.#appendOne(logits, id, bits);
      }
    }
  }

  #append(logits: Float32Array, start: number, end: number): void {
    let size = this.size;
    for (let id = start; id < end; id++, size++) {
      const logit = logits[id]!;
      if (logit - logit !== 0) throw nonFinite(logit, id);
      this.ids[size] = id;
      this.logits[size] = logit;
    }
    this.size = size;
  }

  /** Appends the token of the lowest bit of a word of the mask. */
  #appendOne(logits: Float32Array, first: number, bits: number): void {
    const id = first + 31 - Math.clz32(bits & -bits);
    this.#append(logits, id, id + 1);
  }

  /** Keeps the candidates at these positions, in this order. @param sorted best first; else positions must ascend */
  keep(positions: Uint32Array, sorted: boolean): void {
    const count = positions.length;
    // Where no position is below its index, no value is overwritten before it is read.
    const inPlace = positions.every((position, i) => position >= i);
    const ids = inPlace ? this.ids : new Uint32Array(count);
    const logits = inPlace ? this.logits : new Float64Array(count);
    for (let i = 0; i < count; i++) {
      ids[i] = this.ids[positions[i]!]!;
      logits[i] = this.logits[positions[i]!]!;
    }
    if (!inPlace) {
      this.ids.set(ids);
      this.logits.set(logits);
    }
    this.size = count;
    this.sorted = sorted;
  }

  /** Keeps the candidates with logits of at least this, in their order. */
  keepFrom(least: number): void {
    const { ids, logits } = this;
    let count = 0;
    for (let i = 0; i < this.size; i++) {
      if (logits[i]! < least) continue;
      ids[count] = ids[i]!;
      logits[count++] = logits[i]!;
    }
    this.size = count;
  }

  /**
   * Changes logits by id. Logits are first divided by the temperature, so that changes apply to the scaled logits. Ids
   * that are no candidates are ignored.
   */
  change<T>(changes: ReadonlyMap<number, T>, changed: (logit: number, change: T) => number): void {
    this.#settle();
    const { ids, logits } = this;
    if (!this.sorted) {
      for (const [id, change] of changes) {
        const at = this.#find(id);
        if (at >= 0) logits[at] = changed(logits[at]!, change);
      }
      return;
    }
    for (let i = 0; i < this.size; i++) {
      const change = changes.get(ids[i]!);
      if (change !== undefined) logits[i] = changed(logits[i]!, change);
    }
    const order = Uint32Array.from({ length: this.size }, (_, i) => i);
    this.keep(
      order.sort((a, b) => logits[b]! - logits[a]! || ids[a]! - ids[b]!),
      true,
    );
  }

  /** Position of a token where candidates are in order of ids; -1 if it is no candidate. */
  #find(id: number): number {
    const { ids, size } = this;
    if (id < size && ids[id] === id) return id;
    let [low, high] = [0, Math.min(id, size)]; // ids[i] >= i
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low < size && ids[low] === id ? low : -1;
  }

  /** Divides logits by the temperature. They are clamped to the range of doubles, so that none becomes NaN. */
  #settle(): void {
    const { temperature, logits } = this;
    if (temperature === 1) return;
    for (let i = 0; i < this.size; i++)
      logits[i] = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, logits[i]! / temperature));
    this.temperature = 1;
  }

  /** The highest logit; -Infinity if there is no candidate. */
  maximum(): number {
    if (this.sorted) return this.logits[0]!;
    return this.#maximum();
  }

  #maximum(): number {
    const { logits, size } = this;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < size; i++) if (logits[i]! > max) max = logits[i]!;
    return max;
  }

  /** Fills `weights` with exp((logit - maximum) / temperature) and returns their sum. */
  weigh(): number {
    const { logits, weights, size, temperature } = this;
    const max = this.maximum();
    let sum = 0;
    for (let i = 0; i < size; i++) sum += weights[i] = exp((logits[i]! - max) / temperature);
    return sum;
  }
}

/** @throws NibbleError `non_finite_logits` */
export function checkFinite(logits: Float32Array): void {
  let differences = 0; // This becomes NaN if any logit is not finite, and the loop needs no branch.
  for (let i = 0; i < logits.length; i++) differences += logits[i]! - logits[i]!;
  if (differences === 0) return;
  const id = logits.findIndex((logit) => !Number.isFinite(logit));
  throw nonFinite(logits[id]!, id);
}

function nonFinite(logit: number, id: number): NibbleError {
  return new NibbleError("non_finite_logits", `expected finite logits, got ${logit} for token ${id}`);
}

/**
 * Positions of the `k` largest of the first `size` values, best first; of equals the lower position wins.
 * A heap of the k best has the worst of them at its root: O(size log k) at most, about O(size) in practice.
 */
export function largest(values: Float64Array, size: number, k: number): Uint32Array {
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
  let worst = k > 0 ? values[heap[0]!]! : Infinity;
  for (let i = k; i < size; i++) {
    if (values[i]! > worst) {
      heap[0] = i;
      sink(0);
      worst = values[heap[0]!]!;
    }
  }
  return heap.sort((a, b) => values[b]! - values[a]! || a - b);
}
