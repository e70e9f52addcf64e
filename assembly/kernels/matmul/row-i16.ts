import { byteMask, nibbleMask } from "../../lanes";
import { firstCodes, highMask, lastCodes, levels, plane, stepBytes } from "../weights/codes";

// The products of the baseline build with one activation row: i16 codes times i16 weights. An i16 of a step's vector holds
// four weights of a row, of columns 0, 1, 4, 5 or 2, 3, 6, 7, and the i16 beside it holds the others. A mask keeps one
// weight of each i16, which goes into the dot product as it is, with activations in pairs of columns c and c + 2
// (activations.ts). Each lane of the sum then belongs to one row.

/** The first, second and third nibble of an i16: columns 0, 4 and 1, or 2, 6 and 3. */
const NIBBLES: usize = memory.data<u32>([0x000f000f, 0x00f000f0, 0x0f000f00], 4);

/** Mask `i`, 0 to 2, of `dotCodesI16<P>`, whose caller holds them in registers. */
export function codeMask<P>(i: i32): v128 {
  if (sizeof<P>() == 1) return v128.load32_splat(NIBBLES + ((<usize>i) << 2));
  return i == 0 ? nibbleMask() : i == 1 ? byteMask() : highMask<P>();
}

/**
 * Sums of four rows of 4-bit codes over the steps up to `end`, as i32x4. Two of the nibbles are not shifted and count
 * 256 and 16 times, which sums of 32 columns can hold: 15 * 256 * 32767 * 8 < 2^31. The loop does one step per pass at
 * 10.5 G multiply-adds/s. With two steps V8 spills registers (8.5), and so it does where initial sums live through the
 * loop (7.4).
 * @param at the quad's vector of the first step   @param x i16, eight per step
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
 * Sums of four rows of codes over the steps up to `end`, as i32x4. P: the planes of the codes, see codes.ts. Q: u8, u16, u32
 * or u64 for quad 0 to 3; with shifts that are known only at run time, 5-bit codes took a quarter longer.
 * @param at the first step   @param x i16, eight per step   @param m0, m1, m2 the masks of `codeMask`
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

/**
 * Sums of four rows of levels over a block.
 * @param at the quad's vectors, 64 bytes apart   @param x i16[32]   @param table sixteen levels
 */
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
