import { KV_F32, KV_MIXED, keyBytes, PAGE_TOKENS } from "../layout";
import { getF32, nearestCode, setF32 } from "./scalar";

/** Where a key's value of token `slot` and dimension `d` lies, from the start of the keys. */
export function keyOffset(kvType: i32, slot: i32, d: i32): usize {
  if (kvType == KV_F32) return <usize>((d * PAGE_TOKENS + slot) * 4);
  const index = ((d / 2) * PAGE_TOKENS + slot) * 2 + (d % 2);
  return <usize>(PAGE_TOKENS * 4 + index * (kvType == KV_MIXED ? 2 : 1));
}

/** The same for values. */
export function valueOffset(kvType: i32, headDim: i32, slot: i32, d: i32): usize {
  if (kvType == KV_F32) return <usize>((slot * headDim + d) * 4);
  return <usize>(PAGE_TOKENS * 4 + ((slot / 2) * headDim + d) * 2 + (slot % 2));
}

export function kvStoreRef(head: usize, slot: i32, key: usize, value: usize, headDim: i32, kvType: i32): void {
  const values = head + <usize>keyBytes(kvType, headDim);
  let keyInverse: f32 = 0;
  let valueInverse: f32 = 0;
  if (kvType != KV_F32) {
    keyInverse = storeScale(head, slot, key, headDim, kvType == KV_MIXED ? 2047 : 127);
    valueInverse = storeScale(values, slot, value, headDim, 127);
  }
  for (let d = 0; d < headDim; d++) {
    const keyAt = head + keyOffset(kvType, slot, d);
    const valueAt = values + valueOffset(kvType, headDim, slot, d);
    if (kvType == KV_F32) {
      store<u32>(keyAt, load<u32>(key + <usize>(4 * d)));
      store<u32>(valueAt, load<u32>(value + <usize>(4 * d)));
    } else {
      const code = nearestCode(getF32(key, d) * keyInverse);
      if (kvType == KV_MIXED) store<i16>(keyAt, <i16>code);
      else store<i8>(keyAt, <i8>code);
      store<i8>(valueAt, <i8>nearestCode(getF32(value, d) * valueInverse));
    }
  }
}

/** Stores the scale amax / limit, gives limit / amax. */
function storeScale(scales: usize, slot: i32, x: usize, n: i32, limit: f32): f32 {
  let amax: f32 = 0;
  for (let i = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(getF32(x, i)));
  const zero = amax < 1e-30;
  setF32(scales, slot, zero ? 0 : amax / limit);
  return zero ? 0 : limit / amax;
}
