import { BlockMeta, META_BYTES } from "../activations";
import { addRound, maxAbsF32x4, roundedF32, roundedI16 } from "../lanes";
import { BLOCK } from "../layout";

/** Blocks whose largest magnitude is below this become zero, because the reciprocal would leave the range of f32. */
export const SMALLEST_AMAX: f32 = 1e-30;

/** A block has two digits where its amax^2 is more than this many times the row's mean. */
const OUTLIER: f32 = 4;
/** A step of the second digit is a step of the first digit divided by this. */
const SECOND: f32 = 254;

/**
 * Quantises a row of f32 activations, with a scale per block of 32 columns (activations.ts has the layout). Ties go to
 * even; a value that is not finite makes its block's scale NaN.
 *
 * With `wide` = 1, for int8 weights and levels, a code has 16 bits, and d = amax / 32767. These kernels multiply i16
 * anyway.
 *
 * With `wide` = 0, for codes of 4 to 6 bits, a code is an int8 digit, and d = amax / 127. A block whose amax stands out
 * gets a second digit: code = 254 * first + second, d = amax / (127 * 254). Few blocks carry most of the rounding error
 * (docs/numerics.md, "Activations"). With the threshold at four times the mean, 5 % of SmolLM2's blocks have two
 * digits, and almost no block of a row without outliers has them.
 *
 * The mean over the row is a sum in f32, block after block. Sums of codes are exact integers.
 *
 * @param dst a tile of `width` rows   @param src f32[columns]   @param columns a multiple of 32
 * @param tileRow this row's place in the tile
 */
export function quantizeRow(dst: usize, src: usize, columns: i32, wide: i32, width: i32, tileRow: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "quantizeRow: columns must be a positive multiple of 32");
  assert(tileRow >= 0 && tileRow < width, "quantizeRow: tileRow must be in the tile");
  const blocks = columns / BLOCK;
  const n = <usize>(columns * width);
  const digits = dst + <usize>(tileRow * 4);
  const codes = dst + 2 * n + <usize>(tileRow * 4);
  const meta = dst + 4 * n + <usize>(tileRow * META_BYTES);
  const metaStep = <usize>(width * META_BYTES);
  const codesStep = <usize>(width * 64);
  if (wide) {
    for (let b: usize = 0; b < <usize>blocks; b++) {
      quantizeWide(codes + b * codesStep, changetype<BlockMeta>(meta + b * metaStep), src + (b << 7), width);
    }
    return;
  }
  let total: f32 = 0;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const top = blockMax(src + (b << 7));
    changetype<BlockMeta>(meta + b * metaStep).scale = top;
    total += top * top;
  }
  const limit = (OUTLIER * total) / <f32>blocks;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const at = digits + b * <usize>(width * 32);
    quantizeDigits(
      at,
      n,
      codes + b * codesStep,
      changetype<BlockMeta>(meta + b * metaStep),
      src + (b << 7),
      limit,
      width,
    );
  }
}

/**
 * Marks a tile's row as empty, with scales of 0 and no second digits. A matmul computes all rows of a tile, and
 * denormal scales or second digits that an earlier tensor left there would cost time (five rows took longer than
 * twelve).
 */
export function clearTileRow(dst: usize, columns: i32, width: i32, tileRow: i32): void {
  let at = dst + <usize>(4 * columns * width + tileRow * META_BYTES);
  for (let b = columns / BLOCK; b > 0; b--) {
    const meta = changetype<BlockMeta>(at);
    meta.scale = 0;
    meta.scaledSum = 0;
    meta.digits = 0;
    meta.lowScaledSum = 0;
    meta.highScaledSum = 0;
    at += <usize>(width * META_BYTES);
  }
}

/**
 * The largest magnitude of 32 values, NaN if one is NaN. Values are compared as integers, because f32x4.max takes nine
 * instructions on x64.
 */
function blockMax(src: usize): f32 {
  let top = f32x4.abs(v128.load(src));
  for (let i = 16; i < 128; i += 16) top = i32x4.max_s(top, f32x4.abs(v128.load(src + i)));
  return maxAbsF32x4(top);
}

/** Stores eight i16 codes, a pair at a time to every `width`-th place. */
function storeCodes(at: usize, codes: v128, width: i32): void {
  const step = <usize>(width * 4);
  const pairs = v128.shuffle<i16>(codes, codes, 0, 2, 1, 3, 4, 6, 5, 7);
  v128.store32_lane(at, pairs, 0);
  v128.store32_lane(at + step, pairs, 1);
  v128.store32_lane(at + 2 * step, pairs, 2);
  v128.store32_lane(at + 3 * step, pairs, 3);
}

/** Stores eight digits as i8, four at a time to every `width`-th place. */
function storeDigits(at: usize, digits: v128, width: i32): void {
  const narrowed = i8x16.narrow_i16x8_s(digits, digits);
  v128.store32_lane(at, narrowed, 0);
  v128.store32_lane(at + <usize>(width * 4), narrowed, 1);
}

/** The scale of a block without codes: 0 for small values, NaN where one is not finite. */
function emptyScale(amax: f32): f32 {
  return amax < SMALLEST_AMAX ? 0 : f32.NaN;
}

function quantizeWide(codes: usize, meta: BlockMeta, src: usize, width: i32): void {
  const amax = blockMax(src);
  const usable = amax >= SMALLEST_AMAX && amax < Infinity;
  const inverse = f32x4.splat(<f32>32767 / amax);
  meta.scale = usable ? amax / 32767 : emptyScale(amax);
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

/**
 * Quantises one block to int8 digits.
 * @param first its first digits   @param second bytes from the first digits to the second ones
 * @param meta the block's meta, whose scale holds the block's amax @param limit the block gets two digits where amax^2
 *   is more than this
 */
function quantizeDigits(
  first: usize,
  second: usize,
  codes: usize,
  meta: BlockMeta,
  src: usize,
  limit: f32,
  width: i32,
): void {
  const amax = meta.scale;
  const usable = amax >= SMALLEST_AMAX && amax < Infinity;
  const two = amax * amax > limit && usable;
  const inverse = f32x4.splat(<f32>127 / amax);
  const d: f32 = usable ? (two ? amax / (127 * SECOND) : amax / 127) : emptyScale(amax);
  let sum1 = i16x8.splat(0); // each lane sums the digits of the columns that equal it modulo 8
  let sum2 = sum1;
  let low1 = sum1; // the sums over the low 16 columns
  let low2 = sum1;
  for (let i = 0; i < 4; i++) {
    if (i == 2) {
      low1 = sum1;
      low2 = sum2;
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
  storeSums(meta, d, two, sum1, sum2, low1, low2);
}

/** Stores the fields of BlockMeta that follow from the sums of a block's digits. */
function storeSums(meta: BlockMeta, d: f32, two: bool, sum1: v128, sum2: v128, low1: v128, low2: v128): void {
  const even1 = laneSum(sum1, 0);
  const odd1 = laneSum(sum1, 1);
  const even2 = laneSum(sum2, 0);
  const odd2 = laneSum(sum2, 1);
  const even = two ? 254 * even1 + even2 : even1;
  const odd = two ? 254 * odd1 + odd2 : odd1;
  meta.scale = d;
  meta.scaledSum = d * <f32>(even + odd);
  meta.centreFirst = centrePair(even1, odd1);
  meta.centreSecond = centrePair(even2, odd2);
  meta.centreCodes0 = -8 * even;
  meta.centreCodes1 = -8 * odd;
  meta.digits = two ? 2 : 1;
  const lowEven1 = laneSum(low1, 0);
  const lowOdd1 = laneSum(low1, 1);
  const lowEven2 = laneSum(low2, 0);
  const lowOdd2 = laneSum(low2, 1);
  const low = two ? 254 * (lowEven1 + lowOdd1) + (lowEven2 + lowOdd2) : lowEven1 + lowOdd1;
  meta.lowCentreSecond = centrePair(lowEven2, lowOdd2);
  meta.lowCentreFirst = centrePair(lowEven1, lowOdd1);
  meta.highCentreFirst = centrePair(even1 - lowEven1, odd1 - lowOdd1);
  meta.lowScaledSum = d * <f32>low;
  meta.highScaledSum = d * <f32>(even + odd - low);
}

/** -8 times two sums, over columns 0, 1 (mod 4) and 2, 3 (mod 4), as 2 x i16. */
function centrePair(even: i32, odd: i32): i32 {
  return ((-8 * even) & 0xffff) | ((-8 * odd) << 16);
}

/** Sum over columns 0, 1 (mod 4) for `odd` = 0, over columns 2, 3 (mod 4) for 1. */
function laneSum(sums: v128, odd: i32): i32 {
  const pairs = i32x4.extadd_pairwise_i16x8_s(sums); // columns 01, 23, 45, 67 (mod 8)
  return odd
    ? i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3)
    : i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 2);
}
