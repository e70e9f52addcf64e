import { byteMask, nibbleMask } from "../../lanes";
import { firstCodes, highMask, lastCodes, levels, plane, stepBytes } from "../weights/codes";

// What the baseline build does with one activation row: i16 codes times i16 weights. An i16 of a step's vector holds four
// weights of a row, of columns 0, 1, 4, 5 or 2, 3, 6, 7; the i16 beside it the rest. So an i16 that keeps one of its four
// goes into the dot as it is, with activations by pairs of columns c and c + 2 (layout.ts), and its sum is one row's.

/** The first, second and third nibble of an i16: columns 0, 4 and 1, or 2, 6 and 3. */
const NIBBLES: usize = memory.data<u32>([0x000f000f, 0x00f000f0, 0x0f000f00], 4);

/** Mask `i`, 0 to 2, of `dotCodesI16<P>`: its caller holds them in registers. */
export function codeMask<P>(i: i32): v128 {
  if (sizeof<P>() == 1) return v128.load32_splat(NIBBLES + ((<usize>i) << 2));
  return i == 0 ? nibbleMask() : i == 1 ? byteMask() : highMask<P>();
}

/**
 * Sums of four rows of 4-bit codes over the steps up to `end`, as i32x4. Two nibbles stay where they lie and count 256 and
 * 16 times, which sums of 32 columns bear: 15 * 256 * 32767 * 8 < 2^31. A loop of one step: two at a time V8 spills
 * (10.5 -> 8.5 G multiply-adds/s), as it does where a start of the sums lives through the loop (7.4).
 * @param at quad's vector of the first step   @param x i16, eight a step
 */
function dotNibblesI16(at: usize, end: usize, x: usize, m0: v128, m1: v128, m2: v128): v128 {
  let sums = i32x4.splat(0);
  let sums256 = sums;
  let sums16 = sums;
  while (at < end) {
    const v = v128.load(at);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.and(v, m0), v128.load32_splat(x)));
    sums256 = i32x4.add(sums256, i32x4.dot_i16x8_s(v128.and(v, m2), v128.load32_splat(x, 4)));
    sums16 = i32x4.add(sums16, i32x4.dot_i16x8_s(v128.and(v, m1), v128.load32_splat(x, 8)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_u(v, 12), v128.load32_splat(x, 12)));
    at += 64;
    x += 16;
  }
  return i32x4.add(sums, i32x4.add(i32x4.shr_s(sums16, 4), i32x4.shr_s(sums256, 8)));
}

/**
 * Sums of four rows of codes over the steps up to `end`, as i32x4. P: see codes.ts. Q: u8, u16, u32 or u64 for quad 0 to 3;
 * with shifts that only run time knew, 5-bit codes took a quarter longer.
 * @param at first step   @param x i16, eight a step
 * @param m0, m1, m2 of `codeMask`
 */
export function dotCodesI16<P, Q>(at: usize, end: usize, x: usize, m0: v128, m1: v128, m2: v128): v128 {
  const quad = ctz(<i32>sizeof<Q>());
  if (sizeof<P>() == 1) return dotNibblesI16(at + ((<usize>quad) << 4), end, x, m0, m1, m2);
  let sums = i32x4.splat(0);
  while (at < end) {
    const v = v128.load(at + ((<usize>quad) << 4));
    const h = plane<P>(at, quad);
    const first = firstCodes<P>(v, h, quad, m0, m2);
    const last = lastCodes<P>(v, h, quad, m0, m2);
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.and(first, m1), v128.load32_splat(x)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_u(first, 8), v128.load32_splat(x, 4)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.and(last, m1), v128.load32_splat(x, 8)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_u(last, 8), v128.load32_splat(x, 12)));
    at += stepBytes<P>();
    x += 16;
  }
  return sums;
}

/** Sums of four rows of levels over a block. `at`: the quad's vectors, 64 bytes apart; `x`: i16[32]; `table`: of levels. */
export function dotLevelsI16(at: usize, x: usize, table: v128): v128 {
  const mask = nibbleMask();
  const end = at + 256;
  let sums = i32x4.splat(0);
  while (at < end) {
    const v = v128.load(at);
    const first = levels(table, v128.and(v, mask));
    const last = levels(table, v128.and(i16x8.shr_u(v, 4), mask));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_s(i16x8.shl(first, 8), 8), v128.load32_splat(x)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_s(first, 8), v128.load32_splat(x, 4)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_s(i16x8.shl(last, 8), 8), v128.load32_splat(x, 8)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.shr_s(last, 8), v128.load32_splat(x, 12)));
    at += 64;
    x += 16;
  }
  return sums;
}
