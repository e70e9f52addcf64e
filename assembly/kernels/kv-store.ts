import { KV_F32, kvHalfBytes, PAGE_TOKENS } from "../layout";
import { SMALLEST_AMAX } from "./quantize";

/**
 * Puts the key and the value of one token and one kv head into its page.
 *
 *   keys     f32: [quad of tokens 0..7][dim][4 tokens]
 *            int8: 32 scales f32 | [quad of tokens 0..7][pair of dims][4 tokens][2 dims]
 *   values   f32: [token][dim]
 *            int8: 32 scales f32 | [pair of tokens 0..15][dim][2 tokens]
 *
 * So attention reads both in address order, with tokens in the lanes for scores and dims in the lanes for the sum.
 * @param head this head's place in the page: keys, then values (kvHalfBytes each)   @param slot token in the page, 0..31
 * @param key, value f32[headDim]   @param headDim multiple of 4
 */
export function kvStore(head: usize, slot: i32, key: usize, value: usize, headDim: i32, kvType: i32): void {
  const values = head + <usize>kvHalfBytes(kvType, headDim);
  const quad = slot >> 2;
  const lane = slot & 3;
  if (kvType == KV_F32) {
    const keyAt = head + <usize>(quad * headDim * 16 + lane * 4);
    for (let d = 0; d < headDim; d++) store<f32>(keyAt + ((<usize>d) << 4), load<f32>(key + ((<usize>d) << 2)));
    memory.copy(values + <usize>(slot * headDim * 4), value, (<usize>headDim) << 2);
    return;
  }
  const codes = head + PAGE_TOKENS * 4;
  const k = quantizeScale(head + ((<usize>slot) << 2), key, headDim);
  for (let d = 0; d < headDim; d++) {
    const at = codes + <usize>(quad * headDim * 4 + (d >> 1) * 8 + lane * 2 + (d & 1));
    store<i8>(at, code(key + ((<usize>d) << 2), k));
  }
  const valueCodes = values + PAGE_TOKENS * 4;
  const v = quantizeScale(values + ((<usize>slot) << 2), value, headDim);
  for (let d = 0; d < headDim; d++) {
    const at = valueCodes + <usize>((slot >> 1) * headDim * 2 + d * 2 + (slot & 1));
    store<i8>(at, code(value + ((<usize>d) << 2), v));
  }
}

/** Stores amax / 127 at `scaleAt` and gives the factor to multiply with. */
function quantizeScale(scaleAt: usize, x: usize, n: i32): f32 {
  let amax: f32 = 0;
  for (let i = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + ((<usize>i) << 2))));
  const zero = amax < SMALLEST_AMAX;
  store<f32>(scaleAt, zero ? 0 : amax / 127);
  return zero ? 0 : <f32>127 / amax;
}

function code(at: usize, inverse: f32): i8 {
  const q = nearest<f32>(load<f32>(at) * inverse);
  return q == q ? <i8>q : 0; // a NaN head has scale NaN; the code must not trap
}
