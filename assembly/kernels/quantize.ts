import { addRound, maxAbsF32x4, roundedF32, roundedI16 } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";

/** Blocks whose largest magnitude is below this are zero: its reciprocal would leave the range of f32. */
export const SMALLEST_AMAX: f32 = 1e-30;

/** A block has two digits where its amax^2 is more than this many times the row's mean. */
const OUTLIER: f32 = 4;
/** The second digit counts steps of the first, divided by this. */
const SECOND: f32 = 254;

/**
 * Quantises a row of f32 activations, a scale per block of 32 (layout.ts, quantizedRowBytes). Ties go to even; a value
 * that is not finite makes its block's scale NaN.
 *
 * For int8 weights (`wide` = 1) a code has 16 bits: d = amax / 32767. Their product widens to i16 anyway.
 *
 * For int4 weights a code is an int8 digit, d = amax / 127; in blocks whose amax stands out it gets a second one:
 * code = 254 * first + second, d = amax / (127 * 254). Few blocks carry most of the rounding error (ARCHITECTURE.md,
 * "Activations"). Four times the mean: 5 % of SmolLM2's blocks, and next to none of a row without outliers.
 *
 * @param dst tile of `width` rows   @param slot this row's place in the tile   @param src f32[columns]
 * @param columns multiple of 32
 */
export function quantizeRow(dst: usize, src: usize, columns: i32, wide: i32, width: i32, slot: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "quantizeRow: columns must be a positive multiple of 32");
  assert(slot >= 0 && slot < width, "quantizeRow: slot must be in the tile");
  const blocks = columns / BLOCK;
  const n = <usize>(columns * width);
  const digits = dst + <usize>(slot * 4);
  const codes = dst + 2 * n + <usize>(slot * 4);
  const meta = dst + 4 * n + <usize>(slot * META_BYTES);
  const metaStep = <usize>(width * META_BYTES);
  const codesStep = <usize>(width * 64);
  if (wide) {
    for (let b: usize = 0; b < <usize>blocks; b++) {
      quantizeWide(codes + b * codesStep, meta + b * metaStep, src + (b << 7), width);
    }
    return;
  }
  let total: f32 = 0;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const top = blockMax(src + (b << 7));
    store<f32>(meta + b * metaStep, top);
    total += top * top;
  }
  const limit = (OUTLIER * total) / <f32>blocks;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const at = digits + b * <usize>(width * 32);
    quantizeDigits(at, n, codes + b * codesStep, meta + b * metaStep, src + (b << 7), limit, width);
  }
}

/**
 * Marks a tile's place as empty: scales of 0 and no second digits. The product computes all places of a tile, and what
 * an earlier tensor left there costs time: denormal scales, second digits (five rows took longer than twelve).
 */
export function clearSlot(dst: usize, columns: i32, width: i32, slot: i32): void {
  let meta = dst + <usize>(4 * columns * width + slot * META_BYTES);
  const metaStep = <usize>(width * META_BYTES);
  for (let b = columns / BLOCK; b > 0; b--) {
    store<i64>(meta, 0);
    store<i64>(meta, 0, 24);
    store<i64>(meta, 0, 40);
    meta += metaStep;
  }
}

/** The largest magnitude of 32 values; NaN if any is. Compared as integers: f32x4.max takes nine instructions on x64. */
function blockMax(src: usize): f32 {
  let top = f32x4.abs(v128.load(src));
  for (let i = 16; i < 128; i += 16) top = i32x4.max_s(top, f32x4.abs(v128.load(src + i)));
  return maxAbsF32x4(top);
}

/** Eight i16 codes, a pair at a time to every `width`-th place. */
function storeCodes(at: usize, codes: v128, width: i32): void {
  const step = <usize>(width * 4);
  const pairs = v128.shuffle<i16>(codes, codes, 0, 2, 1, 3, 4, 6, 5, 7);
  v128.store32_lane(at, pairs, 0);
  v128.store32_lane(at + step, pairs, 1);
  v128.store32_lane(at + 2 * step, pairs, 2);
  v128.store32_lane(at + 3 * step, pairs, 3);
}

/** Eight digits as i8, four at a time to every `width`-th place. */
function storeDigits(at: usize, digits: v128, width: i32): void {
  const narrowed = i8x16.narrow_i16x8_s(digits, digits);
  v128.store32_lane(at, narrowed, 0);
  v128.store32_lane(at + <usize>(width * 4), narrowed, 1);
}

/** The scale of a block without codes: 0 for small values, NaN where one is not finite. */
function emptyScale(amax: f32): f32 {
  return amax < SMALLEST_AMAX ? 0 : f32.NaN;
}

function quantizeWide(codes: usize, meta: usize, src: usize, width: i32): void {
  const amax = blockMax(src);
  const usable = amax >= SMALLEST_AMAX && amax < Infinity;
  const inverse = f32x4.splat(<f32>32767 / amax);
  store<f32>(meta, usable ? amax / 32767 : emptyScale(amax));
  let code = i16x8.splat(0);
  for (let i = 0; i < 4; i++) {
    if (usable) {
      const low = f32x4.mul(v128.load(src), inverse);
      const high = f32x4.mul(v128.load(src, 16), inverse);
      code = roundedI16(addRound(low), addRound(high));
    }
    storeCodes(codes, code, width);
    src += 32;
    codes += <usize>(width * 16);
  }
}

/** `meta` holds the block's amax. */
function quantizeDigits(
  first: usize,
  second: usize,
  codes: usize,
  meta: usize,
  src: usize,
  limit: f32,
  width: i32,
): void {
  const amax = load<f32>(meta);
  const usable = amax >= SMALLEST_AMAX && amax < Infinity;
  const two = amax * amax > limit && usable;
  const inverse = f32x4.splat(<f32>127 / amax);
  const d: f32 = usable ? (two ? amax / (127 * SECOND) : amax / 127) : emptyScale(amax);
  let sum1 = i16x8.splat(0); // lane: sum of the digits in columns = lane (mod 8)
  let sum2 = sum1;
  let left1 = sum1; // of the first 16 columns
  let left2 = sum1;
  for (let i = 0; i < 4; i++) {
    if (i == 2) {
      left1 = sum1;
      left2 = sum2;
    }
    let code = i16x8.splat(0);
    if (usable) {
      const low = f32x4.mul(v128.load(src), inverse);
      const high = f32x4.mul(v128.load(src, 16), inverse);
      const lowFirst = addRound(low);
      const highFirst = addRound(high);
      const digits1 = roundedI16(lowFirst, highFirst);
      sum1 = i16x8.add(sum1, digits1);
      storeDigits(first, digits1, width);
      code = digits1;
      if (two) {
        const step = f32x4.splat(SECOND);
        const digits2 = roundedI16(
          addRound(f32x4.mul(f32x4.sub(low, roundedF32(lowFirst)), step)),
          addRound(f32x4.mul(f32x4.sub(high, roundedF32(highFirst)), step)),
        );
        storeDigits(first + second, digits2, width);
        sum2 = i16x8.add(sum2, digits2);
        code = i16x8.add(i16x8.mul(digits1, i16x8.splat(254)), digits2);
      }
    } else storeDigits(first, code, width);
    storeCodes(codes, code, width);
    src += 32;
    codes += <usize>(width * 16);
    first += <usize>(width * 8);
  }
  const even1 = laneSum(sum1, 0);
  const odd1 = laneSum(sum1, 1);
  const even2 = laneSum(sum2, 0);
  const odd2 = laneSum(sum2, 1);
  const even = two ? 254 * even1 + even2 : even1;
  const odd = two ? 254 * odd1 + odd2 : odd1;
  store<f32>(meta, d);
  store<f32>(meta, d * <f32>(even + odd), 4);
  storeStart(meta + 8, even1, odd1);
  storeStart(meta + 12, even2, odd2);
  store<i32>(meta, -8 * even, 16);
  store<i32>(meta, -8 * odd, 20);
  store<i32>(meta, two ? 2 : 1, 24);
  const leftEven1 = laneSum(left1, 0);
  const leftOdd1 = laneSum(left1, 1);
  const leftEven2 = laneSum(left2, 0);
  const leftOdd2 = laneSum(left2, 1);
  const left = two ? 254 * (leftEven1 + leftOdd1) + (leftEven2 + leftOdd2) : leftEven1 + leftOdd1;
  storeStart(meta + 28, leftEven2, leftOdd2);
  storeStart(meta + 32, leftEven1, leftOdd1);
  storeStart(meta + 36, even1 - leftEven1, odd1 - leftOdd1);
  store<f32>(meta, d * <f32>left, 40);
  store<f32>(meta, d * <f32>(even + odd - left), 44);
}

/** -8 times sums over columns 0, 1 (mod 4) and 2, 3 (mod 4). */
function storeStart(at: usize, even: i32, odd: i32): void {
  store<i16>(at, <i16>(-8 * even));
  store<i16>(at, <i16>(-8 * odd), 2);
}

/** Sum over columns 0, 1 (mod 4) for `odd` = 0, over columns 2, 3 (mod 4) for 1. */
function laneSum(sums: v128, odd: i32): i32 {
  const pairs = i32x4.extadd_pairwise_i16x8_s(sums); // columns 01, 23, 45, 67 (mod 8)
  return odd
    ? i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3)
    : i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 2);
}
