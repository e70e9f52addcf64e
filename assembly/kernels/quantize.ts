import { maxF32x4 } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";

/** Blocks whose largest magnitude is below this are zero: its reciprocal would leave the range of f32. */
export const SMALLEST_AMAX: f32 = 1e-30;

/** A block has two digits where its amax^2 is more than this many times the row's mean. */
const OUTLIER: f32 = 4;
/** The second digit counts steps of the first, divided by this. */
const SECOND: f32 = 254;

/**
 * Quantises a row of f32 activations, a scale per block of 32 (layout.ts, quantizedRowBytes). Ties go to even; a NaN makes
 * its block's scale NaN.
 *
 * For int8 weights (`wide` = 1) a code has 16 bits: d = amax / 32767. Their product widens to i16 anyway.
 *
 * For int4 weights a code is an int8 digit, d = amax / 127; in blocks whose amax stands out it gets a second one:
 * code = 254 * first + second, d = amax / (127 * 254). Few blocks carry most of the rounding error (ARCHITECTURE.md,
 * "Activations"). Four times the mean: 5 % of SmolLM2's blocks, and next to none of a row without outliers.
 *
 * @param dst quantised row, 16-byte aligned   @param src f32[columns]   @param columns multiple of 32
 */
export function quantizeRow(dst: usize, src: usize, columns: i32, wide: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "quantizeRow: columns must be a positive multiple of 32");
  const blocks = columns / BLOCK;
  const codes = dst + 2 * <usize>columns;
  const meta = dst + 4 * <usize>columns;
  if (wide) {
    for (let b = 0; b < blocks; b++) {
      quantizeWide(codes + ((<usize>b) << 6), meta + <usize>(b * META_BYTES), src + ((<usize>b) << 7));
    }
    return;
  }
  let total: f32 = 0;
  for (let b = 0; b < blocks; b++) {
    const top = blockMax(src + ((<usize>b) << 7));
    store<f32>(meta + <usize>(b * META_BYTES), top);
    total += top * top;
  }
  const limit = (OUTLIER * total) / <f32>blocks;
  for (let b = 0; b < blocks; b++) {
    quantizeDigits(
      dst + ((<usize>b) << 5),
      <usize>columns,
      codes + ((<usize>b) << 6),
      meta + <usize>(b * META_BYTES),
      src + ((<usize>b) << 7),
      limit,
    );
  }
}

function blockMax(src: usize): f32 {
  let top = f32x4.abs(v128.load(src));
  for (let i = 16; i < 128; i += 16) top = f32x4.max(top, f32x4.abs(v128.load(src + i)));
  return maxF32x4(top);
}

function quantizeWide(codes: usize, meta: usize, src: usize): void {
  const amax = blockMax(src);
  const zero = amax < SMALLEST_AMAX;
  const inverse = f32x4.splat(zero ? 0 : <f32>32767 / amax);
  store<f32>(meta, zero ? 0 : amax / 32767);
  for (let i = 0; i < 4; i++) {
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(src), inverse)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(src, 16), inverse)));
    v128.store(codes, i16x8.narrow_i32x4_s(low, high));
    src += 32;
    codes += 16;
  }
}

/** `meta` holds the block's amax. */
function quantizeDigits(first: usize, columns: usize, codes: usize, meta: usize, src: usize, limit: f32): void {
  const amax = load<f32>(meta);
  const zero = amax < SMALLEST_AMAX;
  const two = amax * amax > limit && !zero;
  const inverse = f32x4.splat(zero ? 0 : <f32>127 / amax);
  const d: f32 = zero ? 0 : two ? amax / (127 * SECOND) : amax / 127;
  let sum1 = i16x8.splat(0); // lane: sum of the digits in columns = lane (mod 8)
  let sum2 = sum1;
  for (let i = 0; i < 4; i++) {
    const low = f32x4.mul(v128.load(src), inverse);
    const high = f32x4.mul(v128.load(src, 16), inverse);
    const lowFirst = f32x4.nearest(low);
    const highFirst = f32x4.nearest(high);
    const digits1 = narrow(lowFirst, highFirst);
    let code = digits1;
    store<i64>(first, bytes(digits1));
    sum1 = i16x8.add(sum1, digits1);
    if (two) {
      const step = f32x4.splat(SECOND);
      const digits2 = narrow(
        f32x4.nearest(f32x4.mul(f32x4.sub(low, lowFirst), step)),
        f32x4.nearest(f32x4.mul(f32x4.sub(high, highFirst), step)),
      );
      store<i64>(first + columns, bytes(digits2));
      sum2 = i16x8.add(sum2, digits2);
      code = i16x8.add(i16x8.mul(digits1, i16x8.splat(254)), digits2);
    }
    v128.store(codes, code);
    src += 32;
    codes += 16;
    first += 8;
  }
  const even1 = laneSum(sum1, 0);
  const odd1 = laneSum(sum1, 1);
  const even2 = laneSum(sum2, 0);
  const odd2 = laneSum(sum2, 1);
  const even = two ? 254 * even1 + even2 : even1;
  const odd = two ? 254 * odd1 + odd2 : odd1;
  store<f32>(meta, d);
  store<f32>(meta, d * <f32>(even + odd), 4);
  store<i16>(meta, <i16>(-8 * even1), 8);
  store<i16>(meta, <i16>(-8 * odd1), 10);
  store<i16>(meta, <i16>(-8 * even2), 12);
  store<i16>(meta, <i16>(-8 * odd2), 14);
  store<i32>(meta, -8 * even, 16);
  store<i32>(meta, -8 * odd, 20);
  store<i32>(meta, two ? 2 : 1, 24);
}

function narrow(low: v128, high: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
}

function bytes(digits: v128): i64 {
  return i64x2.extract_lane(i8x16.narrow_i16x8_s(digits, digits), 0);
}

/** Sum over columns 0, 1 (mod 4) for `odd` = 0, over columns 2, 3 (mod 4) for 1. */
function laneSum(sums: v128, odd: i32): i32 {
  const pairs = i32x4.extadd_pairwise_i16x8_s(sums); // columns 01, 23, 45, 67 (mod 8)
  return odd
    ? i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3)
    : i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 2);
}
