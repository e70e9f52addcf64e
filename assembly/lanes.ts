// Small vector helpers that several kernels share.

/** Bit constants for f16 and the nibble mask: from memory, because V8 rebuilds a v128.const at each use. */
const CONSTANTS: usize = memory.data<u32>([0x8fffffff, 0x77800000 /* 2^112 */, 0x0f0f0f0f], 16);

/** 0x0f in every byte. */
export function nibbleMask(): v128 {
  return v128.load32_splat(CONSTANTS + 8);
}

/**
 * Four f16 at `at` as f32, exactly, subnormals included. Infinity and NaN are not represented (they would come out as
 * finite numbers): the loader refuses weights that hold them.
 */
export function loadF16x4(at: usize): v128 {
  const h = i32x4.shr_s(i32x4.shl(v128.load16x4_u(at), 16), 3);
  return f32x4.mul(v128.and(h, v128.load32_splat(CONSTANTS)), v128.load32_splat(CONSTANTS + 4));
}

/** One f16 as f32; the same restriction. */
export function loadF16(at: usize): f32 {
  const h = (((<i32>load<u16>(at)) << 16) >> 3) & 0x8fffffff;
  return reinterpret<f32>(h) * reinterpret<f32>(0x77800000);
}

/** Four bf16 at `at` as f32. */
export function loadBF16x4(at: usize): v128 {
  return i32x4.shl(v128.load16x4_u(at), 16);
}

export function loadBF16(at: usize): f32 {
  return reinterpret<f32>((<u32>load<u16>(at)) << 16);
}

/** (lane 0 + lane 1) + (lane 2 + lane 3). */
export function sumF32x4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** The largest lane; NaN if any lane is NaN. */
export function maxF32x4(v: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}
