// Vector helpers that several kernels share.

/** Bits for f16, and masks. They are loaded from memory, because V8 rebuilds a v128.const at each use. */
const CONSTANTS: usize = memory.data<u32>([0x8fffffff, 0x77800000 /* 2^112 */, 0x0f0f0f0f, 0x00ff00ff], 16);

/** 0x0f in every byte. */
export function nibbleMask(): v128 {
  return v128.load32_splat(CONSTANTS + 8);
}

/** 0x00ff in every i16. */
export function byteMask(): v128 {
  return v128.load32_splat(CONSTANTS + 12);
}

/**
 * Four f16 at `at` as f32, exactly, subnormals included. Infinity and NaN would come out as finite numbers, but the
 * loader refuses weights that hold them.
 */
export function loadF16x4(at: usize): v128 {
  const h = i32x4.shr_s(i32x4.shl(v128.load16x4_u(at), 16), 3);
  return f32x4.mul(v128.and(h, v128.load32_splat(CONSTANTS)), v128.load32_splat(CONSTANTS + 4));
}

/** One f16 as f32, with the same restriction. */
export function loadF16(at: usize): f32 {
  const h = (((<i32>load<u16>(at)) << 16) >> 3) & 0x8fffffff;
  return reinterpret<f32>(h) * reinterpret<f32>(0x77800000);
}

/**
 * Products of int8 x and codes 0..127, as i16 sums of two neighbours. They are exact as long as a sum of two fits i16,
 * and equal on every engine: engines may differ only for codes above 127 (https://github.com/WebAssembly/relaxed-simd).
 * The baseline build has this function for tests only; its matmuls use i16 codes.
 */
export function dotI8(x: v128, codes: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(x, codes);
  return i16x8.narrow_i32x4_s(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(x), i16x8.extend_low_i8x16_u(codes)),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(x), i16x8.extend_high_i8x16_u(codes)),
  );
}

/**
 * `sum` plus products of int8 x and codes 0..127. T is a lane of the sums: i16 adds pairs of products, with
 * instructions that are fast on every processor; i32 adds groups of four products, which is one instruction where
 * `FUSED_DOT`. Both are exact, so they give the same sums in the end.
 */
export function addDotI8<T>(sum: v128, x: v128, codes: v128): v128 {
  if (sizeof<T>() == 2) return i16x8.add(sum, dotI8(x, codes));
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, codes, sum);
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(dotI8(x, codes)));
}

/** Sums of `addDotI8<T>` as i32. */
export function sumsI32<T>(sums: v128): v128 {
  return sizeof<T>() == 2 ? i32x4.extadd_pairwise_i16x8_s(sums) : sums;
}

/** Two i16 at `at` in every lane, as initial sums of `addDotI8<T>`. */
export function loadPairsTo<T>(at: usize): v128 {
  return pairsTo<T>(v128.load32_splat(at));
}

/** i16 lanes as initial sums of `addDotI8<T>`. */
export function pairsTo<T>(pairs: v128): v128 {
  return sizeof<T>() == 2 ? pairs : i32x4.extadd_pairwise_i16x8_s(pairs);
}

/** 254 times i32 lanes, which converts sums of first digits to units of the second digit. */
export function times254(s: v128): v128 {
  return i32x4.sub(i32x4.shl(s, 8), i32x4.shl(s, 1));
}

const PROBE: usize = memory.data<u32>([0x7f7f7f7f, 0xffffffff], 4);

/**
 * Whether the engine has one instruction for `i32x4.relaxed_dot_add`: vpdpbusd (x64 with AVX-VNNI), sdot (Arm). There a
 * tile of Q4_0 does 72 instead of 57 G multiply-adds per second. Elsewhere the engine needs three instructions for it,
 * and sums of pairs are faster. A code above 127, for which engines may differ, tells them apart: vpdpbusd gives 4 *
 * 127 * 255, Arm 4 * 127 * -1, and vpmaddubsw (x64 without AVX-VNNI) saturates to 2 * 32767. Only speed depends on the
 * answer.
 */
export const FUSED_DOT: bool = probeFusedDot();

function probeFusedDot(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  const sums = addDotI8<i32>(i32x4.splat(0), v128.load32_splat(PROBE), v128.load32_splat(PROBE, 4));
  return i32x4.extract_lane(sums, 0) != 2 * 32767;
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

/** The largest lane of numbers without a sign bit; NaN if any lane is NaN, because the bits of NaN are the largest. */
export function maxAbsF32x4(v: v128): f32 {
  const pairs = i32x4.max_s(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(i32x4.max_s(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The largest lane; a NaN may get lost. */
export function maxF32x4(v: v128): f32 {
  const pairs = f32x4.pmax(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** 1.5 * 2^23: adding it to |x| < 2^22 rounds to the nearest integer, ties to even, and leaves that in the low bits. */
const ROUND: usize = memory.data<f32>([12582912.0], 4);

/** x + 1.5 * 2^23. */
export function addRound(x: v128): v128 {
  return f32x4.add(x, v128.load32_splat(ROUND));
}

/** The integers of `addRound`, as f32. */
export function roundedF32(t: v128): v128 {
  return f32x4.sub(t, v128.load32_splat(ROUND));
}

/** The integers of two `addRound`s, as i16. (trunc_sat takes six instructions on x64.) */
export function roundedI16(low: v128, high: v128): v128 {
  const bias = v128.load32_splat(ROUND);
  return i16x8.narrow_i32x4_s(i32x4.sub(low, bias), i32x4.sub(high, bias));
}
