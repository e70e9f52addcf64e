import { addRound, maxAbsF32x4, roundedI16 } from "../../lanes";
import { KV_MIXED, PAGE_TOKENS } from "../../layout";
import { SMALLEST_AMAX } from "../quantize";

// Scores of one query with the 32 tokens of a page (kernels/kv-store.ts has the order of the keys). A score is
// q . key * scale. Tokens that the page does not hold yet may give anything.

/** The largest query code for which the sum over a head fits i32. Codes of keys have 7 or 11 bits and a sign. */
export function queryLimit(kvType: i32, headDim: i32): f32 {
  return kvType == KV_MIXED ? <f32>min(32767, 1048000 / headDim) : 32767;
}

/** Stores q as i16 at `q16`; returns its scale. */
export function quantizeQuery(q16: usize, q: usize, headDim: i32, limit: f32): f32 {
  let top = f32x4.splat(0);
  const end = q + ((<usize>headDim) << 2);
  for (let at = q; at < end; at += 16) top = i32x4.max_s(top, f32x4.abs(v128.load(at)));
  const amax = maxAbsF32x4(top);
  const zero = amax < SMALLEST_AMAX;
  const inverse = f32x4.splat(zero ? 0 : limit / amax);
  for (let at = q; at < end; at += 32) {
    const low = addRound(f32x4.mul(v128.load(at), inverse));
    const high = addRound(f32x4.mul(v128.load(at, 16), inverse));
    v128.store(q16, roundedI16(low, high));
    q16 += 16;
  }
  return zero ? 0 : amax / limit;
}

/** Scores with f32 keys. Products are summed in f32, even and odd dims apart, each in order. */
export function scoresF32(scores: usize, q: usize, keys: usize, headDim: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = q + ((<usize>headDim) << 2);
  for (let quad = 0; quad < PAGE_TOKENS / 4; quad++) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    let key = keys;
    for (let at = q; at < end; at += 8) {
      even = f32x4.add(even, f32x4.mul(v128.load(key), v128.load32_splat(at)));
      odd = f32x4.add(odd, f32x4.mul(v128.load(key, 128), v128.load32_splat(at, 4)));
      key += 256;
    }
    v128.store(scores, f32x4.mul(f32x4.add(even, odd), factor));
    scores += 16;
    keys += 16;
  }
}

/**
 * Scores with keys of codes, where K is i8 or i16. The sum of products of codes is exact in i32; a score is sum * (key
 * scale * scale).
 * @param q16 the query's i16 codes   @param scale the query's scale times that of the scores
 */
export function scoresOfCodes<K>(scores: usize, q16: usize, keys: usize, headDim: i32, scale: f32): void {
  const end = q16 + ((<usize>headDim) << 1);
  let codes = keys + PAGE_TOKENS * 4;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  while (q16 < end) {
    const pair = v128.load32_splat(q16);
    // Every offset is a constant, which becomes part of the load instruction.
    if (sizeof<K>() == 1) {
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(codes), pair));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 8), pair));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 16), pair));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 24), pair));
      s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 32), pair));
      s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 40), pair));
      s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 48), pair));
      s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 56), pair));
    } else {
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(pair, v128.load(codes)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(pair, v128.load(codes, 16)));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(pair, v128.load(codes, 32)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(pair, v128.load(codes, 48)));
      s4 = i32x4.add(s4, i32x4.dot_i16x8_s(pair, v128.load(codes, 64)));
      s5 = i32x4.add(s5, i32x4.dot_i16x8_s(pair, v128.load(codes, 80)));
      s6 = i32x4.add(s6, i32x4.dot_i16x8_s(pair, v128.load(codes, 96)));
      s7 = i32x4.add(s7, i32x4.dot_i16x8_s(pair, v128.load(codes, 112)));
    }
    codes += 64 * sizeof<K>();
    q16 += 4;
  }
  storeScores(scores, keys, scale, s0, s1, s2, s3);
  storeScores(scores + 64, keys + 64, scale, s4, s5, s6, s7);
}

/** Stores the scores of sixteen tokens. */
function storeScores(scores: usize, keyScales: usize, scale: f32, s0: v128, s1: v128, s2: v128, s3: v128): void {
  const factor = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(v128.load(keyScales), factor)));
  v128.store(scores, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(v128.load(keyScales, 16), factor)), 16);
  v128.store(scores, f32x4.mul(f32x4.convert_i32x4_s(s2), f32x4.mul(v128.load(keyScales, 32), factor)), 32);
  v128.store(scores, f32x4.mul(f32x4.convert_i32x4_s(s3), f32x4.mul(v128.load(keyScales, 48), factor)), 48);
}
