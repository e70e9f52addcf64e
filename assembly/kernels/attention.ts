import { addRound, maxAbsF32x4, maxF32x4, roundedI16, sumF32x4 } from "../lanes";
import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS, valueBytes } from "../layout";
import { expF32, expF32x4 } from "../math";
import { softcap } from "./elementwise";
import { SMALLEST_AMAX } from "./quantize";

/** Slot numbers of the first four tokens, and the step to the next four. */
const SLOTS: usize = memory.data<i32>([0, 1, 2, 3, 4, 4, 4, 4], 16);

/** Most queries of one call: more than that and their sums leave L1. */
export const ATTENTION_QUERIES: i32 = 16;

/** Bytes of a query's state: the query as i16, the sum over values f32, top, total and query scale. */
function stateBytes(headDim: i32): i32 {
  return headDim * 6 + 16;
}

/** Bytes of scratch that one call needs: 32 scores or weights, 32 weights as i16, the queries' states. */
export function attentionScratchBytes(headDim: i32): i32 {
  return PAGE_TOKENS * 6 + ATTENTION_QUERIES * stateBytes(headDim);
}

/**
 * Attention of `rows` token rows of one sequence and the `group` query heads that share a kv head, each query over the
 * tokens 0..position of its row, or the last `window` of them. Page by page, so that all queries read a page while it is in L1; each query with a running
 * maximum (Milakov and Gimelshein 2018; the order of FlashAttention). Pages begin at multiples of 32 of the absolute
 * position, and a query's sums do not depend on the other queries.
 *
 *   m' = max(m, page's scores), w = exp(s - m'), l = l exp(m - m') + sum(w), o = o exp(m - m') + sum(w v); result o / l
 *
 * int8, mixed: the query becomes i16, the weights times the value scales become i16 per page; both products are exact in
 * i32 (at most 32767 * 127 * headDim < 2^30 or 1,048,000 * 2047 < 2^31 for scores, 32767 * 127 * 32 < 2^28 for values).
 *
 * @param dst, q f32[rows][group * headDim], rows `dstStride` and `qStride` bytes apart; q is not scaled
 * @param rows, group at most ATTENTION_QUERIES queries in all   @param positions i32[rows], not decreasing
 * @param pages i32 numbers of the sequence's pages   @param headPages where all pages of this layer's kv head begin
 * @param scale softmax scale   @param scratch attentionScratchBytes, 16-byte aligned
 * @param window a token sees itself and window - 1 before it; 0: all. Pages before the first row's window are not read
 * @param cap of the scores: cap tanh(score / cap); 0: none
 */
export function attention(
  dst: usize,
  dstStride: i32,
  q: usize,
  qStride: i32,
  rows: i32,
  group: i32,
  positions: usize,
  pages: usize,
  headPages: usize,
  headDim: i32,
  scale: f32,
  kvType: i32,
  scratch: usize,
  window: i32,
  cap: f32,
): void {
  assert(headDim > 0 && headDim % 8 == 0 && headDim <= 256, "attention: headDim must be a multiple of 8 up to 256");
  assert(rows > 0 && rows * group <= ATTENTION_QUERIES, "attention: at most 16 queries");
  const states = scratch + PAGE_TOKENS * 6;
  const step = <usize>stateBytes(headDim);
  const headBytes = (<usize>headDim) << 2;
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < group; h++) {
      const state = states + <usize>(r * group + h) * step;
      begin(state, q + <usize>(r * qStride) + <usize>h * headBytes, headDim, scale, kvType);
    }
  }
  const half = <usize>keyBytes(kvType, headDim);
  const pageBytes = half + <usize>valueBytes(kvType, headDim);
  const last = load<i32>(positions + ((<usize>(rows - 1)) << 2));
  for (let first = firstVisible(load<i32>(positions), window) & -PAGE_TOKENS; first <= last; first += PAGE_TOKENS) {
    const keys = headPages + <usize>load<u32>(pages + ((<usize>(first >> 5)) << 2)) * pageBytes;
    for (let r = 0; r < rows; r++) {
      const position = load<i32>(positions + ((<usize>r) << 2));
      const count = min(PAGE_TOKENS, position + 1 - first);
      const from = max(0, firstVisible(position, window) - first);
      if (from >= count) continue;
      for (let h = 0; h < group; h++) {
        const state = states + <usize>(r * group + h) * step;
        const query = q + <usize>(r * qStride) + <usize>h * headBytes;
        page(state, query, keys, keys + half, from, count, headDim, kvType, scratch, cap);
      }
    }
  }
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < group; h++) {
      const state = states + <usize>(r * group + h) * step;
      finish(dst + <usize>(r * dstStride) + <usize>h * headBytes, state, headDim);
    }
  }
}

/** The first token that a query at `position` sees. */
function firstVisible(position: i32, window: i32): i32 {
  return window == 0 ? 0 : max(0, position + 1 - window);
}

// A query's state: f32 top | f32 total | f32 query scale | unused | f32 sums[headDim] | i16 query[headDim].
const SUMS: usize = 16;

function begin(state: usize, q: usize, headDim: i32, scale: f32, kvType: i32): void {
  const q16 = state + SUMS + ((<usize>headDim) << 2);
  const queryScale = kvType == KV_F32 ? scale : quantizeQuery(q16, q, headDim, queryLimit(kvType, headDim)) * scale;
  store<f32>(state, -Infinity);
  store<f32>(state, 0, 4);
  store<f32>(state, queryScale, 8);
  memory.fill(state + SUMS, 0, (<usize>headDim) << 2);
}

/** One query over the tokens `from` to `count` of a page. */
function page(
  state: usize,
  q: usize,
  keys: usize,
  values: usize,
  from: i32,
  count: i32,
  headDim: i32,
  kvType: i32,
  scratch: usize,
  cap: f32,
): void {
  const weights = scratch;
  const sums = state + SUMS;
  const sumsEnd = sums + ((<usize>headDim) << 2);
  const queryScale = load<f32>(state, 8);
  if (kvType == KV_F32) scoresF32(weights, q, keys, headDim, queryScale);
  else if (kvType == KV_MIXED) scoresI16(weights, sumsEnd, keys, headDim, queryScale);
  else scoresI8(weights, sumsEnd, keys, headDim, queryScale);
  if (cap > 0) softcap(weights, PAGE_TOKENS, cap);
  for (let t = 0; t < from; t++) store<f32>(weights + ((<usize>t) << 2), -Infinity);
  for (let t = count; t < PAGE_TOKENS; t++) store<f32>(weights + ((<usize>t) << 2), -Infinity);
  let best = v128.load(weights);
  for (let i: usize = 16; i < 128; i += 16) best = f32x4.pmax(best, v128.load(weights + i)); // a NaN that gets lost here makes the total NaN
  const top = load<f32>(state);
  const newTop = max<f32>(top, maxF32x4(best));
  const correction = expF32(top - newTop);
  const shift = f32x4.splat(newTop);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const w = expF32x4(f32x4.sub(v128.load(weights + i), shift));
    v128.store(weights + i, w);
    sum = f32x4.add(sum, w);
  }
  store<f32>(state, newTop);
  store<f32>(state, load<f32>(state, 4) * correction + sumF32x4(sum), 4);
  if (kvType == KV_F32) addValuesF32(sums, weights, values, headDim, from, count, correction);
  else addValuesI8(sums, weights, weights + PAGE_TOKENS * 4, values, headDim, from, count, correction);
}

function finish(dst: usize, state: usize, headDim: i32): void {
  const divisor = f32x4.splat(load<f32>(state, 4));
  const end = state + SUMS + ((<usize>headDim) << 2);
  for (let at = state + SUMS; at < end; at += 16) {
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

/** weights[t] = q . key t * scale for the 32 tokens of a page, even and odd dims apart; slots not yet written give anything. */
function scoresF32(weights: usize, q: usize, keys: usize, headDim: i32, scale: f32): void {
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
    v128.store(weights, f32x4.mul(f32x4.add(even, odd), factor));
    weights += 16;
    keys += 16;
  }
}

function scoresI8(weights: usize, q16: usize, keys: usize, headDim: i32, scale: f32): void {
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
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(codes), pair));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 8), pair));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 16), pair));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 24), pair));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 32), pair));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 40), pair));
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 48), pair));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v128.load8x8_s(codes, 56), pair));
    codes += 64;
    q16 += 4;
  }
  storeScores(weights, keys, scale, s0, s1, s2, s3);
  storeScores(weights + 64, keys + 64, scale, s4, s5, s6, s7);
}

function scoresI16(weights: usize, q16: usize, keys: usize, headDim: i32, scale: f32): void {
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
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(pair, v128.load(codes)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(pair, v128.load(codes, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(pair, v128.load(codes, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(pair, v128.load(codes, 48)));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(pair, v128.load(codes, 64)));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(pair, v128.load(codes, 80)));
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(pair, v128.load(codes, 96)));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(pair, v128.load(codes, 112)));
    codes += 128;
    q16 += 4;
  }
  storeScores(weights, keys, scale, s0, s1, s2, s3);
  storeScores(weights + 64, keys + 64, scale, s4, s5, s6, s7);
}

/** sums * (key scale * scale) of sixteen tokens. */
function storeScores(weights: usize, keyScales: usize, scale: f32, s0: v128, s1: v128, s2: v128, s3: v128): void {
  const factor = f32x4.splat(scale);
  v128.store(weights, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(v128.load(keyScales), factor)));
  v128.store(weights, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(v128.load(keyScales, 16), factor)), 16);
  v128.store(weights, f32x4.mul(f32x4.convert_i32x4_s(s2), f32x4.mul(v128.load(keyScales, 32), factor)), 32);
  v128.store(weights, f32x4.mul(f32x4.convert_i32x4_s(s3), f32x4.mul(v128.load(keyScales, 48), factor)), 48);
}

/** sums[d] = sums[d] * correction + sum over the page's tokens of weight * value, token after token. */
function addValuesF32(
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

function addValuesI8(
  sums: usize,
  weights: usize,
  weights16: usize,
  values: usize,
  headDim: i32,
  from: i32,
  count: i32,
  correction: f32,
): void {
  // Slots outside from..count may hold anything, NaN included: their weights are masked, not multiplied by 0. Slots are
  // counted from `from`, so one unsigned comparison is enough.
  const limit = i32x4.splat(count - from);
  let slot = i32x4.sub(v128.load(SLOTS), i32x4.splat(from));
  let top = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const product = f32x4.mul(v128.load(weights + i), v128.load(values + i));
    const w = v128.and(product, i32x4.lt_u(slot, limit));
    v128.store(weights + i, w);
    top = i32x4.max_s(top, w); // weights and scales have no sign
    slot = i32x4.add(slot, v128.load(SLOTS, 16));
  }
  const amax = maxAbsF32x4(top);
  // A page whose values are all 0 adds 0: its codes must not be divided by that.
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : <f32>32767 / amax);
  for (let i: usize = 0; i < 128; i += 32) {
    const low = addRound(f32x4.mul(v128.load(weights + i), inverse));
    const high = addRound(f32x4.mul(v128.load(weights + i, 16), inverse));
    v128.store(weights16 + (i >> 1), roundedI16(low, high));
  }
  const scale = f32x4.splat(amax / 32767);
  const factor = f32x4.splat(correction);
  const pairBytes = (<usize>headDim) << 1;
  const end = weights16 + ((<usize>((count + 1) >> 1)) << 2);
  const first = values + PAGE_TOKENS * 4;
  let d: usize = 0;
  // Thirty-two dims share each broadcast pair of weights, the rest eight.
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

/** sums = sums * correction + s * scale, eight dims. */
function addSums(sums: usize, factor: v128, scale: v128, s0: v128, s1: v128): void {
  v128.store(sums, f32x4.add(f32x4.mul(v128.load(sums), factor), f32x4.mul(f32x4.convert_i32x4_s(s0), scale)));
  v128.store(sums, f32x4.add(f32x4.mul(v128.load(sums, 16), factor), f32x4.mul(f32x4.convert_i32x4_s(s1), scale)), 16);
}
