import { maxF32x4, sumF32x4 } from "../lanes";
import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS } from "../layout";
import { expF32, expF32x4 } from "../math";
import { SMALLEST_AMAX } from "./quantize";

/** Slot numbers of the first four tokens, and the step to the next four. */
const SLOTS: usize = memory.data<i32>([0, 1, 2, 3, 4, 4, 4, 4], 16);

/** Bytes of scratch that one call needs: 32 scores or weights, 32 weights as i16, the query as i16, the sum over values. */
export function attentionScratchBytes(headDim: i32): i32 {
  return PAGE_TOKENS * 4 + PAGE_TOKENS * 2 + headDim * 2 + headDim * 4;
}

/**
 * Attention of one query head over the tokens 0..position of a sequence, page by page with a running maximum
 * (Milakov and Gimelshein 2018; the order of FlashAttention). Pages begin at multiples of 32 of the absolute position, so
 * the sums do not depend on how the tokens came in.
 *
 *   m' = max(m, page's scores), w = exp(s - m'), l = l exp(m - m') + sum(w), o = o exp(m - m') + sum(w v); result o / l
 *
 * int8, mixed: the query becomes i16, the weights times the value scales become i16 per page; both products are exact in
 * i32 (at most 32767 * 127 * headDim < 2^30 or 1,048,000 * 2047 < 2^31 for scores, 32767 * 127 * 32 < 2^28 for values).
 *
 * @param dst f32[headDim]   @param q f32[headDim], not scaled   @param pages i32 addresses of the sequence's pages
 * @param headAt offset of this layer's kv head in a page   @param scale softmax scale   @param scratch 16-byte aligned
 */
export function attentionHead(
  dst: usize,
  q: usize,
  pages: usize,
  headAt: usize,
  position: i32,
  headDim: i32,
  scale: f32,
  kvType: i32,
  scratch: usize,
): void {
  assert(position >= 0, "attentionHead: position must not be negative");
  assert(headDim > 0 && headDim % 8 == 0 && headDim <= 256, "attentionHead: headDim must be a multiple of 8 up to 256");
  const weights = scratch;
  const weights16 = scratch + PAGE_TOKENS * 4;
  const q16 = weights16 + PAGE_TOKENS * 2;
  const sums = q16 + ((<usize>headDim) << 1);
  const half = <usize>keyBytes(kvType, headDim);
  const sumsEnd = sums + ((<usize>headDim) << 2);
  const queryScale = kvType == KV_F32 ? scale : quantizeQuery(q16, q, headDim, queryLimit(kvType, headDim)) * scale;
  memory.fill(sums, 0, (<usize>headDim) << 2);
  let top: f32 = -Infinity;
  let total: f32 = 0;
  for (let first = 0; first <= position; first += PAGE_TOKENS) {
    const keys = <usize>load<u32>(pages + ((<usize>(first >> 5)) << 2)) + headAt;
    const values = keys + half;
    const count = min(PAGE_TOKENS, position + 1 - first);
    if (kvType == KV_F32) scoresF32(weights, q, keys, headDim, queryScale);
    else if (kvType == KV_MIXED) scoresI16(weights, q16, keys, headDim, queryScale);
    else scoresI8(weights, q16, keys, headDim, queryScale);
    for (let t = count; t < PAGE_TOKENS; t++) store<f32>(weights + ((<usize>t) << 2), -Infinity);
    let best = v128.load(weights);
    for (let i: usize = 16; i < 128; i += 16) best = f32x4.max(best, v128.load(weights + i));
    const newTop = max<f32>(top, maxF32x4(best));
    const correction = expF32(top - newTop);
    top = newTop;
    const shift = f32x4.splat(newTop);
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) {
      const w = expF32x4(f32x4.sub(v128.load(weights + i), shift));
      v128.store(weights + i, w);
      sum = f32x4.add(sum, w);
    }
    total = total * correction + sumF32x4(sum);
    const factor = f32x4.splat(correction);
    for (let at = sums; at < sumsEnd; at += 16) v128.store(at, f32x4.mul(v128.load(at), factor));
    if (kvType == KV_F32) addValuesF32(sums, weights, values, headDim, count);
    else addValuesI8(sums, weights, weights16, values, headDim, count);
  }
  const divisor = f32x4.splat(total);
  for (let at = sums; at < sumsEnd; at += 16) {
    v128.store(dst, f32x4.div(v128.load(at), divisor));
    dst += 16;
  }
}

/** Largest query code for which the sum over a head stays in i32: keys have 7 or 11 bits and a sign. */
function queryLimit(kvType: i32, headDim: i32): f32 {
  return kvType == KV_MIXED ? <f32>min(32767, 1048000 / headDim) : 32767;
}

/** q as i16 at `q16`; returns the scale. */
function quantizeQuery(q16: usize, q: usize, headDim: i32, limit: f32): f32 {
  let top = f32x4.splat(0);
  const end = q + ((<usize>headDim) << 2);
  for (let at = q; at < end; at += 16) top = f32x4.max(top, f32x4.abs(v128.load(at)));
  const amax = maxF32x4(top);
  const zero = amax < SMALLEST_AMAX;
  const inverse = f32x4.splat(zero ? 0 : limit / amax);
  for (let at = q; at < end; at += 16) {
    const codes = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
    store<i64>(q16, i64x2.extract_lane(i16x8.narrow_i32x4_s(codes, codes), 0));
    q16 += 8;
  }
  return zero ? 0 : amax / limit;
}

/** weights[t] = q . key t * scale for the 32 tokens of a page; slots not yet written give anything. */
function scoresF32(weights: usize, q: usize, keys: usize, headDim: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = q + ((<usize>headDim) << 2);
  for (let quad = 0; quad < PAGE_TOKENS / 4; quad++) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    for (let at = q; at < end; at += 8) {
      even = f32x4.add(even, f32x4.mul(v128.load(keys), v128.load32_splat(at)));
      odd = f32x4.add(odd, f32x4.mul(v128.load(keys, 16), v128.load32_splat(at, 4)));
      keys += 32;
    }
    v128.store(weights, f32x4.mul(f32x4.add(even, odd), factor));
    weights += 16;
  }
}

function scoresI8(weights: usize, q16: usize, keys: usize, headDim: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = q16 + ((<usize>headDim) << 1);
  let codes = keys + PAGE_TOKENS * 4;
  for (let quad = 0; quad < PAGE_TOKENS / 4; quad++) {
    let even = i32x4.splat(0);
    let odd = i32x4.splat(0);
    for (let at = q16; at < end; at += 8) {
      even = i32x4.add(even, i32x4.dot_i16x8_s(v128.load8x8_s(codes), v128.load32_splat(at)));
      odd = i32x4.add(odd, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 8), v128.load32_splat(at, 4)));
      codes += 16;
    }
    const sum = f32x4.convert_i32x4_s(i32x4.add(even, odd));
    v128.store(weights, f32x4.mul(sum, f32x4.mul(v128.load(keys), factor)));
    weights += 16;
    keys += 16;
  }
}

function scoresI16(weights: usize, q16: usize, keys: usize, headDim: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = q16 + ((<usize>headDim) << 1);
  let codes = keys + PAGE_TOKENS * 4;
  for (let quad = 0; quad < PAGE_TOKENS / 4; quad++) {
    let even = i32x4.splat(0);
    let odd = i32x4.splat(0);
    for (let at = q16; at < end; at += 8) {
      even = i32x4.add(even, i32x4.dot_i16x8_s(v128.load(codes), v128.load32_splat(at)));
      odd = i32x4.add(odd, i32x4.dot_i16x8_s(v128.load(codes, 16), v128.load32_splat(at, 4)));
      codes += 32;
    }
    const sum = f32x4.convert_i32x4_s(i32x4.add(even, odd));
    v128.store(weights, f32x4.mul(sum, f32x4.mul(v128.load(keys), factor)));
    weights += 16;
    keys += 16;
  }
}

/** sums[d] += sum over the page's tokens of weight * value, token after token. */
function addValuesF32(sums: usize, weights: usize, values: usize, headDim: i32, count: i32): void {
  const bytes = (<usize>headDim) << 2;
  for (let d: usize = 0; d < bytes; d += 16) {
    let sum = f32x4.splat(0);
    let value = values + d;
    for (let t = 0; t < count; t++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(value), v128.load32_splat(weights + ((<usize>t) << 2))));
      value += bytes;
    }
    v128.store(sums + d, f32x4.add(v128.load(sums + d), sum));
  }
}

function addValuesI8(sums: usize, weights: usize, weights16: usize, values: usize, headDim: i32, count: i32): void {
  // Slots past `count` hold anything, NaN included, and belong to other rows: their weights are masked, not multiplied by 0.
  const limit = i32x4.splat(count);
  let slot = v128.load(SLOTS);
  let top = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const product = f32x4.mul(v128.load(weights + i), v128.load(values + i));
    const w = v128.and(product, i32x4.lt_s(slot, limit));
    v128.store(weights + i, w);
    top = f32x4.max(top, w);
    slot = i32x4.add(slot, v128.load(SLOTS, 16));
  }
  const amax = maxF32x4(top);
  if (amax < SMALLEST_AMAX) return;
  const inverse = f32x4.splat(<f32>32767 / amax);
  for (let i: usize = 0; i < 128; i += 16) {
    const codes = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(weights + i), inverse)));
    store<i64>(weights16 + (i >> 1), i64x2.extract_lane(i16x8.narrow_i32x4_s(codes, codes), 0));
  }
  const scale = f32x4.splat(amax / 32767);
  const pairBytes = (<usize>headDim) << 1;
  const pairs = (<usize>((count + 1) >> 1)) << 2;
  for (let d: usize = 0; d < pairBytes; d += 8) {
    let sum = i32x4.splat(0);
    let value = values + PAGE_TOKENS * 4 + d;
    for (let at: usize = 0; at < pairs; at += 4) {
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load8x8_s(value), v128.load32_splat(weights16 + at)));
      value += pairBytes;
    }
    const to = sums + (d << 1);
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(f32x4.convert_i32x4_s(sum), scale)));
  }
}
