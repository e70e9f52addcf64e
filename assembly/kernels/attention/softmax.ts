import { addRound, maxAbsF32x4, maxF32x4, roundedI16, sumF32x4 } from "../../lanes";
import { PAGE_TOKENS } from "../../layout";
import { expF32, expPair } from "../../math";
import { SMALLEST_AMAX } from "../quantize";
import { CODE_STEP, QueryState } from "./queries";
import { storePairs } from "./scores";

const BYTES: usize = PAGE_TOKENS * 4;

/** Largest code of a weight: two digits of 7 bits. */
const WEIGHT_LIMIT: f32 = 16383;

/**
 * Replaces a page's scores, f32[32], by weights exp(score - top), and adds these to `total`. Sets the factor by which
 * the sums so far must be multiplied. Tokens outside from..count get weight 0.
 *
 * The sum of the weights has eight lanes: token t belongs to lane t mod 8, and each lane is summed in order. Lane i and
 * lane i + 4 are added, and the result is (0 + 1) + (2 + 3).
 */
export function exponentiate(state: QueryState, scores: usize, from: i32, count: i32): void {
  for (let t = 0; t < from; t++) store<f32>(scores + ((<usize>t) << 2), -Infinity);
  for (let t = count; t < PAGE_TOKENS; t++) store<f32>(scores + ((<usize>t) << 2), -Infinity);
  let best = v128.load(scores);
  // pmax may lose a NaN. The total becomes NaN then.
  for (let i: usize = 16; i < BYTES; i += 16) best = f32x4.pmax(best, v128.load(scores + i));
  const newTop = max<f32>(state.top, maxF32x4(best));
  const correction: f32 = newTop == state.top ? 1 : expF32(state.top - newTop);
  const shift = f32x4.splat(newTop);
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  for (const end = scores + BYTES; scores < end; scores += 32) {
    expPair(scores, shift);
    sum0 = f32x4.add(sum0, v128.load(scores));
    sum1 = f32x4.add(sum1, v128.load(scores, 16));
  }
  state.top = newTop;
  state.correction = correction;
  state.total = state.total * correction + sumF32x4(f32x4.add(sum0, sum1));
}

/**
 * Multiplies weights, f32[32], by their tokens' value scales, and makes i16 codes of the products, with one scale for
 * the page. A weight of 0 has code 0 whatever the scale is, because a token that no query sees may hold anything, NaN
 * included.
 * @param codes where the query's first pair lies
 */
export function quantizeWeights(state: QueryState, codes: usize, weights: usize, valueScales: usize): void {
  const none = f32x4.splat(0);
  let top = none;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const w = v128.load(weights + i);
    const product = v128.and(f32x4.mul(w, v128.load(valueScales + i)), f32x4.ne(w, none));
    v128.store(weights + i, product);
    top = i32x4.max_s(top, product); // weights and scales have no sign
  }
  const amax = maxAbsF32x4(top);
  // A page whose values are all 0 adds 0. The largest product is then 0, and codes must not be divided by it.
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : WEIGHT_LIMIT / amax);
  for (const end = weights + BYTES; weights < end; weights += 32) {
    const low = addRound(f32x4.mul(v128.load(weights), inverse));
    const high = addRound(f32x4.mul(v128.load(weights, 16), inverse));
    storePairs(codes, roundedI16(low, high));
    codes += 4 * CODE_STEP;
  }
  state.weightScale = amax / WEIGHT_LIMIT;
}
