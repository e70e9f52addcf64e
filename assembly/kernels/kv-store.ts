import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS } from "../layout";
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
 * in the lanes, and a broadcast pair of the query (or of the weights) serves many lanes. A code is the nearest to value
 * / scale (ties to even), and the scale is amax / limit; limit is 127, or 2047 for keys of 12 bits. SmolLM2's keys have
 * outlying dims: int8 keys change 1.5 to 2.7 % of its argmaxes, keys of 12 bits none, and int8 values 0.3 to 0.6 %.
 * @param page the head's page: keys, then values   @param token its place in the page, 0..31
 * @param key, value f32[headDim]   @param headDim multiple of 8
 */
export function kvStore(page: usize, token: i32, key: usize, value: usize, headDim: i32, kvType: i32): void {
  assert(token >= 0 && token < PAGE_TOKENS, "kvStore: token must be in 0..31");
  assert(headDim > 0 && headDim % 8 == 0, "kvStore: headDim must be a positive multiple of 8");
  const values = page + <usize>keyBytes(kvType, headDim);
  if (kvType == KV_F32) {
    const keyAt = page + ((<usize>token) << 2);
    for (let d = 0; d < headDim; d++) store<f32>(keyAt + ((<usize>d) << 7), load<f32>(key + ((<usize>d) << 2)));
    memory.copy(values + <usize>(token * headDim * 4), value, (<usize>headDim) << 2);
    return;
  }
  const codes = page + PAGE_TOKENS * 4;
  const wide = kvType == KV_MIXED;
  const k = quantizeScale(page + ((<usize>token) << 2), key, headDim, wide ? KEY_LIMIT : 127);
  for (let d = 0; d < headDim; d++) {
    const at = <usize>(((d >> 1) * PAGE_TOKENS + token) * 2 + (d & 1));
    const q = code(key + ((<usize>d) << 2), k);
    if (wide) store<i16>(codes + (at << 1), <i16>q);
    else store<i8>(codes + at, <i8>q);
  }
  const valueCodes = values + PAGE_TOKENS * 4;
  const v = quantizeScale(values + ((<usize>token) << 2), value, headDim, 127);
  for (let d = 0; d < headDim; d++) {
    const at = valueCodes + <usize>((token >> 1) * headDim * 2 + d * 2 + (token & 1));
    store<i8>(at, <i8>code(value + ((<usize>d) << 2), v));
  }
}

/** Largest code of a 12-bit key. */
export const KEY_LIMIT: f32 = 2047;

/** Stores the scale amax / limit at `scaleAt`, and returns its reciprocal, by which values become codes. */
function quantizeScale(scaleAt: usize, x: usize, n: i32, limit: f32): f32 {
  let amax: f32 = 0;
  for (let i = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + ((<usize>i) << 2))));
  const zero = amax < SMALLEST_AMAX;
  store<f32>(scaleAt, zero ? 0 : amax / limit);
  return zero ? 0 : limit / amax;
}

function code(at: usize, inverse: f32): i32 {
  const q = nearest<f32>(load<f32>(at) * inverse);
  return isNaN<f32>(q) ? 0 : <i32>q; // a NaN head has scale NaN; the code must not trap
}
