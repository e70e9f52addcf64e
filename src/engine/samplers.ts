/**
 * The steps of sampling that leave tokens out or flatten their distribution. Names, meaning and limits are llama.cpp's.
 * Forbidden tokens are no candidates from the start, so counts and means do not see them.
 * @module
 */
import { log, pow } from "../math.ts";
import { type Candidates, largest } from "./candidates.ts";

/** The k most likely; 0: all. */
export function topK(candidates: Candidates, k: number): void {
  const { logits, size, sorted } = candidates;
  if (k <= 0 || k >= size) return;
  if (sorted) candidates.size = k;
  else candidates.keep(largest(logits, size, k), true);
}

/** The smallest set of most likely tokens that has probability `p` together (Holtzman et al. 2019), at least `minKeep`. */
export function topP(candidates: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  const target = p * candidates.weigh();
  const { weights, logits, size } = candidates;
  const reached = (sum: number) => sum >= target;
  if (candidates.sorted) candidates.size = prefix(weights, undefined, size, reached, minKeep);
  else candidates.keep(leading(logits, weights, size, reached, minKeep), true);
}

/**
 * Locally typical sampling (Meister et al. 2022): tokens whose information -log p is closest to the entropy, as many as
 * have more than probability `p` together.
 */
export function typicalP(candidates: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  const entropy = weighWithEntropy(candidates);
  const { weights, size, sorted } = candidates;
  const closeness = new Float64Array(size);
  let total = 0;
  for (let i = 0; i < size; i++) total += weights[i]!;
  for (let i = 0; i < size; i++) closeness[i] = -Math.abs(log(total) - log(weights[i]!) - entropy);
  const kept = leading(closeness, weights, size, (sum) => sum > p * total, minKeep);
  candidates.keep(kept.sort(), sorted);
}

/** Tokens at least `p` times as likely as the most likely one (Nguyen et al. 2024), at least `minKeep`. */
export function minP(candidates: Candidates, p: number, minKeep: number): void {
  if (p <= 0) return;
  const least = candidates.maximum() + log(p) * candidates.temperature;
  if (minKeep > 1 && countFrom(candidates, least) < minKeep) topK(candidates, minKeep);
  else candidates.keepFrom(least);
}

/** Tokens whose logits are within `n` standard deviations of the highest (Tang et al. 2024). */
export function topNSigma(candidates: Candidates, n: number): void {
  const { logits, size } = candidates;
  if (n <= 0 || size < 2) return;
  let sum = 0;
  for (let i = 0; i < size; i++) sum += logits[i]!;
  const mean = sum / size;
  let squares = 0;
  for (let i = 0; i < size; i++) squares += (logits[i]! - mean) ** 2;
  candidates.keepFrom(candidates.maximum() - n * Math.sqrt(squares / size));
}

/**
 * Exclude top choices (p-e-w 2024): of the tokens with at least `threshold` only the least likely stays.
 * @param u a random number in [0, 1): it happens with `probability`
 */
export function xtc(candidates: Candidates, probability: number, threshold: number, minKeep: number, u: number): void {
  if (probability <= 0 || threshold > 0.5 || candidates.size < 2 || u > probability) return;
  const limit = threshold * candidates.weigh();
  const { weights, size, sorted } = candidates;
  let least = -1;
  let top = 0;
  for (let i = 0; i < size; i++) {
    if (weights[i]! < limit) continue;
    top++;
    if (least < 0 || weights[i]! <= weights[least]!) least = i;
  }
  if (top < 2 || size - top + 1 < minKeep) return;
  const kept = new Uint32Array(size - top + 1);
  let count = 0;
  for (let i = 0; i < size; i++) if (weights[i]! < limit || i === least) kept[count++] = i;
  candidates.keep(kept, sorted);
}

/**
 * Flattens (above 1) or sharpens the distribution; at 0 only the most likely token stays, of equals the first.
 * With a `range` the temperature is between `temperature - range` and `temperature + range`, the higher the more
 * entropy the distribution has, measured in that of as many equal tokens, to the power of `exponent`.
 */
export function scale(candidates: Candidates, temperature: number, range: number, exponent: number): void {
  const { size } = candidates;
  let effective = temperature;
  if (range > 0) {
    if (size < 2) return;
    const lowest = Math.max(0, temperature - range);
    // Rounding may give a little below 0 or above 1.
    const spread = Math.min(1, Math.max(0, weighWithEntropy(candidates) / log(size)));
    effective = lowest + (temperature + range - lowest) * (spread > 0 ? pow(spread, exponent) : exponent === 0 ? 1 : 0);
  }
  if (effective > 0) candidates.temperature *= effective;
  else candidates.keep(Uint32Array.of(candidates.logits.indexOf(candidates.maximum())), true);
}

/** Weighs, and gives the entropy in nats. */
function weighWithEntropy(candidates: Candidates): number {
  const total = candidates.weigh();
  const { weights, logits, size, temperature } = candidates;
  const max = candidates.maximum();
  let sum = 0; // of w log w: weights are exp(x), so their logarithms are at hand
  for (let i = 0; i < size; i++) if (weights[i]! > 0) sum += (weights[i]! * (logits[i]! - max)) / temperature;
  return log(total) - sum / total;
}

function countFrom({ logits, size }: Candidates, least: number): number {
  let count = 0;
  for (let i = 0; i < size; i++) if (logits[i]! >= least) count++;
  return count;
}

/**
 * Positions of the largest `keys`, best first: as few as have enough weight together. Almost always a few hundred
 * tokens do, so those are looked at first.
 */
function leading(
  keys: Float64Array,
  weights: Float64Array,
  size: number,
  enough: (sum: number) => boolean,
  minKeep: number,
): Uint32Array {
  for (let k = Math.max(256, minKeep); ; k *= 8) {
    const order = largest(keys, size, k);
    const count = prefix(weights, order, order.length, enough, minKeep);
    if (count < order.length || order.length === size) return order.subarray(0, count);
  }
}

/** How many of the weights, in this order, are enough: at least one. */
function prefix(
  weights: Float64Array,
  order: Uint32Array | undefined,
  size: number,
  enough: (sum: number) => boolean,
  minKeep: number,
): number {
  let sum = 0;
  let count = 0;
  while (count < size && !enough(sum)) sum += weights[order ? order[count++]! : count++]!;
  return Math.min(size, Math.max(1, count, minKeep));
}
