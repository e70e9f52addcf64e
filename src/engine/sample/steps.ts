/**
 * The steps of sampling that remove tokens or flatten their distribution. Names, meaning and limits are llama.cpp's.
 * Forbidden tokens are never candidates, so they do not enter counts and means.
 * @module
 */
import { log, pow } from "../../base/math.ts";
import { type Candidates, largest } from "./candidates.ts";
import type { SamplingOptions } from "./options.ts";

type XtcOptions = Pick<SamplingOptions, "xtcProbability" | "xtcThreshold" | "minKeep">;

/** Keeps the `k` most likely tokens; 0 keeps all. */
export function topK(candidates: Candidates, k: number): void {
  const { logits, size, sorted } = candidates;
  if (k <= 0 || k >= size) return;
  if (sorted) candidates.size = k;
  else candidates.keep(largest(logits, size, k), true);
}

/** Keeps the fewest most likely tokens that have probability `p` together (Holtzman et al. 2019), at least `minKeep`. */
export function topP(candidates: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  const target = p * candidates.weigh();
  const { logits, sorted } = candidates;
  candidates.keep(
    leading(candidates, logits, (sum) => sum >= target, minKeep),
    sorted,
  );
}

/**
 * Locally typical sampling (Meister et al. 2022): keeps the tokens whose information -log p is closest to the entropy,
 * and as few of them as have a total probability above `p`.
 */
export function typicalP(candidates: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  const total = candidates.weigh();
  const mean = meanExponent(candidates, total);
  const { logits, size, sorted, temperature } = candidates;
  const max = candidates.maximum();
  // -log p is log(total) - exponent, the entropy log(total) - mean.
  const closeness = new Float64Array(size);
  for (let i = 0; i < size; i++) closeness[i] = -Math.abs(mean - (logits[i]! - max) / temperature);
  const kept = leading(candidates, closeness, (sum) => sum > p * total, minKeep);
  candidates.keep(kept, sorted);
}

/** Keeps tokens at least `p` times as likely as the most likely one (Nguyen et al. 2024), at least `minKeep`. */
export function minP(candidates: Candidates, p: number, minKeep: number): void {
  if (p <= 0) return;
  const least = candidates.maximum() + log(p) * candidates.temperature;
  if (minKeep > 1 && countFrom(candidates, least) < minKeep) topK(candidates, minKeep);
  else candidates.keepFrom(least);
}

/** Keeps tokens whose logits are within `n` standard deviations of the highest one (Tang et al. 2024). */
export function topNSigma(candidates: Candidates, n: number): void {
  const { logits, size } = candidates;
  if (n <= 0 || size < 2) return;
  let sum = 0;
  for (let i = 0; i < size; i++) sum += logits[i]!;
  const mean = sum / size;
  let squares = 0;
  for (let i = 0; i < size; i++) squares += (logits[i]! - mean) * (logits[i]! - mean);
  candidates.keepFrom(candidates.maximum() - n * Math.sqrt(squares / size));
}

/**
 * Exclude top choices (p-e-w 2024): of the tokens with at least probability `xtcThreshold` only the least likely stays.
 * @param u a random number in [0, 1); the step runs with `xtcProbability`
 */
export function xtc(candidates: Candidates, options: XtcOptions, u: number): void {
  const { xtcProbability: probability, xtcThreshold: threshold, minKeep } = options;
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
 * Flattens the distribution (above 1) or sharpens it (below 1). At 0 only the most likely token stays, of equals the
 * first. With a `range` the temperature lies between `value - range` and `value + range`: it grows with the entropy of
 * the distribution, as a fraction of the entropy of equally many equal tokens, to the power of `exponent`.
 */
export function temperature(candidates: Candidates, value: number, range: number, exponent: number): void {
  const { size } = candidates;
  let effective = value;
  if (range > 0) {
    if (size < 2) return;
    const lowest = Math.max(0, value - range);
    // Rounding may give a little below 0 or above 1.
    const total = candidates.weigh();
    const entropy = log(total) - meanExponent(candidates, total);
    const spread = Math.min(1, Math.max(0, entropy / log(size)));
    effective = lowest + (value + range - lowest) * (spread > 0 ? pow(spread, exponent) : exponent === 0 ? 1 : 0);
  }
  if (effective > 0) candidates.temperature *= effective;
  else candidates.keep(Uint32Array.of(candidates.logits.indexOf(candidates.maximum())), true);
}

/**
 * The mean of the exponents whose exp the weights are; log(total) minus this mean is the entropy in nats.
 * @param total the sum of the weights
 */
function meanExponent(candidates: Candidates, total: number): number {
  const { weights, logits, size, temperature } = candidates;
  const max = candidates.maximum();
  let sum = 0;
  for (let i = 0; i < size; i++) if (weights[i]! > 0) sum += (weights[i]! * (logits[i]! - max)) / temperature;
  return sum / total;
}

function countFrom({ logits, size }: Candidates, least: number): number {
  let count = 0;
  for (let i = 0; i < size; i++) if (logits[i]! >= least) count++;
  return count;
}

/** Buckets of `leading`, and the most members of one that are sorted. */
const BUCKETS = 1024;
const FEW = 256;

/**
 * The positions of the fewest largest `keys` whose total weight is enough, but at least `minKeep`, in ascending order;
 * of equal keys the first ones. The vocabulary is never sorted. A histogram of the keys finds the bucket in which the
 * border lies, and then again among the members of that bucket, until they are few. This is O(size) for the logits of
 * real models.
 */
function leading(
  { weights, size }: Candidates,
  keys: Float64Array,
  enough: (sum: number) => boolean,
  minKeep: number,
): Uint32Array {
  let members = Uint32Array.from({ length: size }, (_, i) => i);
  const above: Above = { sum: 0, count: 0 };
  while (members.length > FEW) {
    const narrowed = borderBucket({ members, keys, weights }, above, enough, minKeep);
    if (!narrowed) break;
    members = narrowed;
  }
  members.sort((a, b) => keys[b]! - keys[a]! || a - b);
  let last = -1;
  while (last + 1 < members.length && (last < 0 || !enough(above.sum) || above.count < minKeep)) {
    above.sum += weights[members[++last]!]!;
    above.count++;
  }
  const [key, position] = [keys[members[last]!]!, members[last]!];
  const kept = new Uint32Array(size);
  let length = 0;
  for (let i = 0; i < size; i++) if (keys[i]! > key || (keys[i] === key && i <= position)) kept[length++] = i;
  return kept.subarray(0, length);
}

/** The weight and number of candidates that are above all members. */
interface Above {
  sum: number;
  count: number;
}

interface Members {
  readonly members: Uint32Array<ArrayBuffer>;
  readonly keys: Float64Array;
  readonly weights: Float64Array;
}

/**
 * The members of the bucket that holds the border, in ascending order; `above` grows by the buckets before it.
 * @returns undefined where all keys are equal
 */
function borderBucket(
  { members, keys, weights }: Members,
  above: Above,
  enough: (sum: number) => boolean,
  minKeep: number,
): Uint32Array<ArrayBuffer> | undefined {
  let [high, low] = [-Infinity, Infinity];
  for (let m = 0; m < members.length; m++) {
    const key = keys[members[m]!]!;
    if (key > high) high = key;
    if (key < low) low = key;
  }
  if (high === low) return undefined;
  const width = high / 2 - low / 2; // Halves, because the difference may exceed the range of doubles.
  const bucketOf = new Uint16Array(members.length);
  const sums = new Float64Array(BUCKETS);
  const counts = new Uint32Array(BUCKETS);
  for (let m = 0; m < members.length; m++) {
    const i = members[m]!;
    const bucket = Math.min(BUCKETS - 1, Math.floor(((high / 2 - keys[i]! / 2) / width) * BUCKETS));
    bucketOf[m] = bucket;
    sums[bucket]! += weights[i]!;
    counts[bucket]!++;
  }
  let border = 0;
  while (border < BUCKETS - 1 && !(enough(above.sum + sums[border]!) && above.count + counts[border]! >= minKeep)) {
    above.sum += sums[border]!;
    above.count += counts[border++]!;
  }
  let inside = 0;
  for (let m = 0; m < members.length; m++) if (bucketOf[m] === border) members[inside++] = members[m]!;
  return members.subarray(0, inside);
}
