/**
 * The steps of sampling, each narrowing or reshaping the candidates. Order and meaning are llama.cpp's.
 * @module
 */

import { exp, log } from "../math.ts";
import { type Candidates, largest } from "./candidates.ts";

/** Adds to logits by id. -Infinity forbids a token. */
export function bias(candidates: Candidates, biases: ReadonlyMap<number, number>): void {
  for (const [id, value] of biases) candidates.logits[id]! += value;
}

/**
 * Makes tokens less likely that occur in the recent text, prompt included: first logits are divided (or, below zero,
 * multiplied) by `repeat` (Keskar et al. 2019), then `frequency` times the count and `presence` are taken off.
 */
export function penalties(
  candidates: Candidates,
  counts: ReadonlyMap<number, number>,
  repeat: number,
  frequency: number,
  presence: number,
): void {
  for (const [id, count] of counts) {
    const logit = candidates.logits[id]!;
    candidates.logits[id] = (logit > 0 ? logit / repeat : logit * repeat) - count * frequency - presence;
  }
}

/** The k most likely. */
export function topK(candidates: Candidates, k: number): void {
  if (k <= 0 || k >= candidates.size) return;
  candidates.keep(largest(candidates.logits, candidates.size, k), true);
}

/** The smallest set of most likely tokens that has probability `p` together (Holtzman et al. 2019). */
export function topP(candidates: Candidates, p: number): void {
  if (p >= 1) return;
  const total = weigh(candidates, 1);
  const { weights, logits, size } = candidates;
  // Almost always a few hundred tokens hold the mass, so look at those first.
  for (let k = candidates.sorted ? size : 256; ; k *= 8) {
    const order = candidates.sorted ? Uint32Array.from({ length: size }, (_, i) => i) : largest(logits, size, k);
    let sum = 0;
    let count = 0;
    while (count < order.length && sum < p * total) sum += weights[order[count++]!]!;
    if (sum >= p * total || order.length === size) {
      candidates.keep(order.subarray(0, Math.max(1, count)), true);
      return;
    }
  }
}

/** Tokens at least `p` times as likely as the most likely one (Nguyen et al. 2024). */
export function minP(candidates: Candidates, p: number): void {
  if (p <= 0) return;
  const { logits, size, sorted } = candidates;
  const least = maximum(candidates) + log(p);
  const positions = new Uint32Array(size);
  let count = 0;
  for (let i = 0; i < size; i++) if (logits[i]! >= least) positions[count++] = i;
  candidates.keep(positions.subarray(0, count), sorted);
}

/** Picks by softmax(logits / temperature) with `u` in [0, 1). */
export function draw(candidates: Candidates, temperature: number, u: number): number {
  const target = weigh(candidates, temperature) * u;
  const { weights, ids, size } = candidates;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < size; i++) {
    if (weights[i] === 0) continue;
    last = i;
    sum += weights[i]!;
    if (sum > target) break;
  }
  return ids[last]!;
}

export function maximum({ logits, size }: Candidates): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < size; i++) if (logits[i]! > max) max = logits[i]!;
  return max;
}

/** Fills `weights` with exp((logit - maximum) / temperature) and returns their sum. */
function weigh(candidates: Candidates, temperature: number): number {
  const { logits, weights, size } = candidates;
  const max = maximum(candidates);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights[i] = exp((logits[i]! - max) / temperature);
  return sum;
}
