import { maxF32x4 } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";

/** Blocks whose largest magnitude is below this are zero: its reciprocal would leave the range of f32. */
export const SMALLEST_AMAX: f32 = 1e-30;

/**
 * Quantises a row of f32 activations to int8, a scale per block of 32 (layout.ts, quantizedRowBytes).
 * d = amax / 127, code = nearest(x * (127 / amax)), ties to even. A NaN makes the block's scale NaN.
 * @param dst quantised row, 16-byte aligned   @param src f32[columns]   @param columns multiple of 32
 */
export function quantizeRow(dst: usize, src: usize, columns: i32): void {
  assert(columns % BLOCK == 0, "quantizeRow: columns must be a multiple of 32");
  const wide = dst + columns;
  const metaEnd = dst + 3 * <usize>columns;
  const blocks = columns / BLOCK;
  for (let b = 0; b < blocks; b++) {
    quantizeBlock(
      dst + ((<usize>b) << 5),
      wide + ((<usize>b) << 6),
      metaEnd + <usize>(b * META_BYTES),
      src + ((<usize>b) << 7),
    );
  }
}

function quantizeBlock(narrow: usize, wide: usize, meta: usize, src: usize): void {
  let top = f32x4.abs(v128.load(src));
  for (let i = 16; i < 128; i += 16) top = f32x4.max(top, f32x4.abs(v128.load(src + i)));
  const amax = maxF32x4(top);
  const zero = amax < SMALLEST_AMAX;
  const d: f32 = zero ? 0 : amax / 127;
  const inverse = f32x4.splat(zero ? 0 : <f32>127 / amax);
  let sum = i16x8.splat(0); // lane: sum of the codes in columns = lane (mod 8)
  for (let i = 0; i < 4; i++) {
    const at = src + ((<usize>i) << 5);
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), inverse)));
    const codes = i16x8.narrow_i32x4_s(low, high);
    v128.store(wide + ((<usize>i) << 4), codes);
    store<i64>(narrow + ((<usize>i) << 3), i64x2.extract_lane(i8x16.narrow_i16x8_s(codes, codes), 0));
    sum = i16x8.add(sum, codes);
  }
  const pairs = i32x4.extadd_pairwise_i16x8_s(sum); // columns 01, 23, 45, 67 (mod 8)
  const first = i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 2);
  const second = i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3);
  store<f32>(meta, d);
  store<f32>(meta, d * <f32>(first + second), 4);
  store<i16>(meta, <i16>(-8 * first), 8);
  store<i16>(meta, <i16>(-8 * second), 10);
}
