import { addRound, maxAbsF32x4, roundedI16 } from "../../lanes";
import { PAGE_TOKENS } from "../../layout";
import { SMALLEST_AMAX } from "../quantize";

// The sum over the values of a page (kernels/kv-store.ts has their order): for every dim d,
// sums[d] = sums[d] * correction + the sum over the tokens from..count of weight * value.

/** The numbers of the first four tokens of a page, and the step to the next four. */
const TOKENS: usize = memory.data<i32>([0, 1, 2, 3, 4, 4, 4, 4], 16);

/** Adds f32 values, token after token, in f32. */
export function addValuesF32(
  sums: usize,
  weights: usize,
  values: usize,
  headDim: i32,
  from: i32,
  count: i32,
  correction: f32,
): void {
  const factor = f32x4.splat(correction);
  const bytes = (<usize>headDim) << 2;
  for (let d: usize = 0; d < bytes; d += 16) {
    let sum = f32x4.splat(0);
    let value = values + d + <usize>from * bytes;
    for (let t = from; t < count; t++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(value), v128.load32_splat(weights + ((<usize>t) << 2))));
      value += bytes;
    }
    v128.store(sums + d, f32x4.add(f32x4.mul(v128.load(sums + d), factor), sum));
  }
}

/**
 * Adds values of int8 codes. The product of a weight and its token's value scale becomes an i16 code, with one scale
 * for the page. The sum of products of codes is exact in i32.
 * @param weights f32[32], overwritten   @param weights16 room for i16[32]
 */
export function addValuesI8(
  sums: usize,
  weights: usize,
  weights16: usize,
  values: usize,
  headDim: i32,
  from: i32,
  count: i32,
  correction: f32,
): void {
  const amax = quantizeWeights(weights, weights16, values, from, count);
  const scale = f32x4.splat(amax / 32767);
  const factor = f32x4.splat(correction);
  const pairBytes = (<usize>headDim) << 1;
  const end = weights16 + ((<usize>((count + 1) >> 1)) << 2);
  const first = values + PAGE_TOKENS * 4;
  let d: usize = 0;
  // Each broadcast pair of weights serves thirty-two dims; for the dims that remain, eight.
  for (; d + 64 <= pairBytes; d += 64) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    let value = first + d;
    for (let at = weights16; at < end; at += 4) {
      const pair = v128.load32_splat(at);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(value), pair));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(value, 8), pair));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(value, 16), pair));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(value, 24), pair));
      s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v128.load8x8_s(value, 32), pair));
      s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v128.load8x8_s(value, 40), pair));
      s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v128.load8x8_s(value, 48), pair));
      s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v128.load8x8_s(value, 56), pair));
      value += pairBytes;
    }
    const to = sums + (d << 1);
    addSums(to, factor, scale, s0, s1);
    addSums(to + 32, factor, scale, s2, s3);
    addSums(to + 64, factor, scale, s4, s5);
    addSums(to + 96, factor, scale, s6, s7);
  }
  for (; d < pairBytes; d += 16) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let value = first + d;
    for (let at = weights16; at < end; at += 4) {
      const pair = v128.load32_splat(at);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(value), pair));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(value, 8), pair));
      value += pairBytes;
    }
    addSums(sums + (d << 1), factor, scale, s0, s1);
  }
}

/** Multiplies weights by their tokens' value scales, and makes them i16 codes. Returns the largest of the products. */
function quantizeWeights(weights: usize, weights16: usize, values: usize, from: i32, count: i32): f32 {
  // Tokens outside from..count may hold anything, NaN included: their weights are masked, not multiplied by 0. Tokens
  // are counted from `from`, so one unsigned comparison is enough.
  const limit = i32x4.splat(count - from);
  let token = i32x4.sub(v128.load(TOKENS), i32x4.splat(from));
  let top = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const product = f32x4.mul(v128.load(weights + i), v128.load(values + i));
    const w = v128.and(product, i32x4.lt_u(token, limit));
    v128.store(weights + i, w);
    top = i32x4.max_s(top, w); // weights and scales have no sign
    token = i32x4.add(token, v128.load(TOKENS, 16));
  }
  const amax = maxAbsF32x4(top);
  // A page whose values are all 0 adds 0. The largest product is then 0, and codes must not be divided by it.
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : <f32>32767 / amax);
  for (let i: usize = 0; i < 128; i += 32) {
    const low = addRound(f32x4.mul(v128.load(weights + i), inverse));
    const high = addRound(f32x4.mul(v128.load(weights + i, 16), inverse));
    v128.store(weights16 + (i >> 1), roundedI16(low, high));
  }
  return amax;
}

/** sums = sums * factor + s * scale, for eight dims. */
function addSums(sums: usize, factor: v128, scale: v128, s0: v128, s1: v128): void {
  v128.store(sums, f32x4.add(f32x4.mul(v128.load(sums), factor), f32x4.mul(f32x4.convert_i32x4_s(s0), scale)));
  v128.store(sums, f32x4.add(f32x4.mul(v128.load(sums, 16), factor), f32x4.mul(f32x4.convert_i32x4_s(s1), scale)), 16);
}
