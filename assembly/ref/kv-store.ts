import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS } from "../layout";
import { hadamardRef } from "./hadamard";
import { getF32, nearestCode, setF32 } from "./scalar";

/** Where dimension `d` of the key of the page's token `token` lies, from the beginning of the keys. */
export function keyOffset(kvType: i32, token: i32, d: i32): usize {
  if (kvType == KV_F32) return <usize>((d * PAGE_TOKENS + token) * 4);
  const index = ((d / 2) * PAGE_TOKENS + token) * 2 + (d % 2);
  return <usize>(PAGE_TOKENS * 4 + index * (kvType == KV_MIXED ? 2 : 1));
}

/** Where dimension `d` of the value of the page's token `token` lies, from the beginning of the values. */
export function valueOffset(kvType: i32, headDim: i32, token: i32, d: i32): usize {
  if (kvType == KV_F32) return <usize>((token * headDim + d) * 4);
  return <usize>(PAGE_TOKENS * 4 + ((token / 2) * headDim + d) * 2 + (token % 2));
}

export function kvStoreRef(
  page: usize,
  token: i32,
  key: usize,
  value: usize,
  headDim: i32,
  kvType: i32,
  scratch: usize,
): void {
  const values = page + <usize>keyBytes(kvType, headDim);
  if (kvType == KV_F32) {
    for (let d = 0; d < headDim; d++) {
      store<u32>(page + keyOffset(kvType, token, d), load<u32>(key + <usize>(4 * d)));
      store<u32>(values + valueOffset(kvType, headDim, token, d), load<u32>(value + <usize>(4 * d)));
    }
    return;
  }
  hadamardRef(scratch, key, headDim);
  const keyInverse = storeScale(page, token, scratch, headDim, kvType == KV_MIXED ? 2047 : 127);
  for (let d = 0; d < headDim; d++) {
    const at = page + keyOffset(kvType, token, d);
    const code = nearestCode(getF32(scratch, d) * keyInverse);
    if (kvType == KV_MIXED) store<i16>(at, <i16>code);
    else store<i8>(at, <i8>code);
  }
  hadamardRef(scratch, value, headDim);
  const valueInverse = storeScale(values, token, scratch, headDim, 127);
  for (let d = 0; d < headDim; d++) {
    const at = values + valueOffset(kvType, headDim, token, d);
    store<i8>(at, <i8>nearestCode(getF32(scratch, d) * valueInverse));
  }
}

/** Stores the scale amax / limit, and returns limit / amax. */
function storeScale(scales: usize, token: i32, x: usize, n: i32, limit: f32): f32 {
  let amax: f32 = 0;
  for (let i = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(getF32(x, i)));
  const zero = amax < 1e-30;
  setF32(scales, token, zero ? 0 : amax / limit);
  return zero ? 0 : limit / amax;
}
