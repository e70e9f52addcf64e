import { addRound, maxAbsF32x4, roundedI16 } from "../lanes";
import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS } from "../layout";
import { hadamard } from "./hadamard";
import { SMALLEST_AMAX } from "./quantize";

/**
 * Puts the key and the value of one token and one kv head into its page.
 *
 *   keys     f32: [dim][32 tokens]
 *            int8, mixed: 32 scales f32 | i8 or i16 [pair of dims][32 tokens][2 dims]
 *   values   f32: [token][dim]
 *            int8, mixed: 32 scales f32 | i8 [pair of tokens 0..15][dim][2 tokens]
 *
 * With this layout attention reads both in address order. Scores have tokens in the lanes, sums over values have dims
 * in the lanes, and a broadcast pair of the query (or of the weights) serves many lanes.
 *
 * Before they become codes, keys and values are rotated (hadamard.ts). Attention rotates its queries in the same way, so
 * that dot products stay, and rotates its sums back. A code is the nearest to value / scale (ties to even), and the
 * scale is amax / limit; limit is 127, or 2047 for keys of 12 bits. docs/numerics.md, "Key-value cache", has what each
 * type costs in precision.
 * @param page the head's page: keys, then values   @param token its place in the page, 0..31
 * @param key, value f32[headDim]   @param headDim multiple of 8
 * @param scratch f32[headDim], 16-byte aligned; f32 pages need none
 */
export function kvStore(
  page: usize,
  token: i32,
  key: usize,
  value: usize,
  headDim: i32,
  kvType: i32,
  scratch: usize,
): void {
  assert(token >= 0 && token < PAGE_TOKENS, "kvStore: token must be in 0..31");
  assert(headDim > 0 && headDim % 8 == 0, "kvStore: headDim must be a positive multiple of 8");
  const values = page + <usize>keyBytes(kvType, headDim);
  if (kvType == KV_F32) {
    const keyAt = page + ((<usize>token) << 2);
    for (let d = 0; d < headDim; d++) store<f32>(keyAt + ((<usize>d) << 7), load<f32>(key + ((<usize>d) << 2)));
    memory.copy(values + <usize>(token * headDim * 4), value, (<usize>headDim) << 2);
    return;
  }
  hadamard(scratch, key, headDim);
  if (kvType == KV_MIXED) storeKey<i16>(page, token, scratch, headDim);
  else storeKey<i8>(page, token, scratch, headDim);
  hadamard(scratch, value, headDim);
  storeValue(values, token, scratch, headDim);
}

/** Largest code of a 12-bit key. */
export const KEY_LIMIT: f32 = 2047;

/** Stores a key as codes of type K. */
function storeKey<K>(keys: usize, token: i32, x: usize, headDim: i32): void {
  const limit: f32 = sizeof<K>() == 1 ? 127 : KEY_LIMIT;
  const inverse = f32x4.splat(storeScale(keys + ((<usize>token) << 2), x, headDim, limit));
  let at = keys + PAGE_TOKENS * 4 + <usize>token * 2 * sizeof<K>();
  const end = x + ((<usize>headDim) << 2);
  for (; x < end; x += 32) {
    const codes = codesOf(x, inverse);
    if (sizeof<K>() == 1) {
      const narrow = i8x16.narrow_i16x8_s(codes, codes);
      v128.store16_lane(at, narrow, 0);
      v128.store16_lane(at, narrow, 1, 64);
      v128.store16_lane(at, narrow, 2, 128);
      v128.store16_lane(at, narrow, 3, 192);
    } else {
      v128.store32_lane(at, codes, 0);
      v128.store32_lane(at, codes, 1, 128);
      v128.store32_lane(at, codes, 2, 256);
      v128.store32_lane(at, codes, 3, 384);
    }
    at += 256 * sizeof<K>();
  }
}

/** Stores a value as int8 codes. Bytes are stored one by one, because another thread may store the pair's other token. */
function storeValue(values: usize, token: i32, x: usize, headDim: i32): void {
  const inverse = f32x4.splat(storeScale(values + ((<usize>token) << 2), x, headDim, 127));
  let at = values + PAGE_TOKENS * 4 + <usize>((token >> 1) * headDim * 2 + (token & 1));
  const end = x + ((<usize>headDim) << 2);
  for (; x < end; x += 32) {
    const codes = codesOf(x, inverse);
    const narrow = i8x16.narrow_i16x8_s(codes, codes);
    v128.store8_lane(at, narrow, 0);
    v128.store8_lane(at, narrow, 1, 2);
    v128.store8_lane(at, narrow, 2, 4);
    v128.store8_lane(at, narrow, 3, 6);
    v128.store8_lane(at, narrow, 4, 8);
    v128.store8_lane(at, narrow, 5, 10);
    v128.store8_lane(at, narrow, 6, 12);
    v128.store8_lane(at, narrow, 7, 14);
    at += 16;
  }
}

/** Eight values as i16 codes; 0 for NaN, whose bits differ between engines. */
function codesOf(x: usize, inverse: v128): v128 {
  const low = f32x4.mul(v128.load(x), inverse);
  const high = f32x4.mul(v128.load(x, 16), inverse);
  return roundedI16(addRound(v128.and(low, f32x4.eq(low, low))), addRound(v128.and(high, f32x4.eq(high, high))));
}

/**
 * Stores the scale amax / limit at `scaleAt`, and returns its reciprocal, by which values become codes. A vector whose
 * numbers are not all finite gets a scale that is not finite either, and codes 0.
 */
function storeScale(scaleAt: usize, x: usize, n: i32, limit: f32): f32 {
  let top = f32x4.splat(0);
  const end = x + ((<usize>n) << 2);
  for (let at = x; at < end; at += 16) top = i32x4.max_s(top, f32x4.abs(v128.load(at)));
  const amax = maxAbsF32x4(top);
  const zero = amax < SMALLEST_AMAX;
  store<f32>(scaleAt, zero ? 0 : amax / limit);
  return zero ? 0 : limit / amax;
}
