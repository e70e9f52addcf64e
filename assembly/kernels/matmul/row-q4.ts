import { BlockMeta, META_BYTES } from "../../activations";
import { addDotI8, loadF16x4, loadPairsTo, nibbleMask, sumsI32, times254 } from "../../lanes";
import { BLOCK } from "../../layout";
import { addMinimum, addScaled, storeGroup } from "./accumulate";
import { centreOfBlock } from "./centre";
import { codeMask, dotCodesI16 } from "./row-i16";

/**
 * One group of 16 rows of a Q4_0 or Q4_1 matrix times one quantised activation row: dst[0..16) = W x.
 *
 * The sum of a block is that of (code - 8) * x for Q4_0, of code * x for Q4_1. accumulate.ts has the f32 part.
 *
 * The relaxed build multiplies digit by digit and adds i32 lanes, or i16: the sum of (code - 8) * x over a lane's 16
 * columns is at most 16,256 for Q4_0, and that of code * x at most 15 * 127 * 16 = 30,480 for Q4_1. Adding wraps in
 * between, which i16 does not mind. The second operand of the relaxed dot is a code 0..15, where all engines agree
 * (https://github.com/WebAssembly/relaxed-simd). The baseline build multiplies the i16 codes; 254 * first + second digit
 * is the same integer.
 *
 * @param dst f32[16]   @param w tiles [columns / 32]   @param x a quantised row of `columns` columns, a multiple of 32
 * @param minima 1 for Q4_1, 0 for Q4_0
 */
export function matmulRowQ4(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  rowQ4<i16>(dst, w, x, columns, minima);
}

/** The same where `FUSED_DOT`. */
export function matmulRowQ4Fused(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  rowQ4<i32>(dst, w, x, columns, minima);
}

/** T: a lane of the integer sums, see `addDotI8`. */
function rowQ4<T>(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "matmulRowQ4: columns must be a positive multiple of 32");
  const mask = nibbleMask();
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = ASC_FEATURE_RELAXED_SIMD ? x : x + 2 * <usize>columns;
  const m0 = codeMask<u8>(0);
  const m1 = codeMask<u8>(1);
  const m2 = codeMask<u8>(2);
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  while (meta < metaEnd) {
    const codes = w + (minima ? 64 : 32);
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    if (ASC_FEATURE_RELAXED_SIMD) {
      const digits = load<i32>(meta, offsetof<BlockMeta>("digits"));
      for (let digit = 0; digit < digits; digit++) {
        let xd = digit ? xq + <usize>columns : xq;
        let a0 = minima
          ? i32x4.splat(0)
          : loadPairsTo<T>(meta + offsetof<BlockMeta>("centreFirst") + ((<usize>digit) << 2));
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
        const end = codes + 256;
        let at = codes;
        // A real loop of four steps: unrolled, V8 spills.
        while (at < end) {
          const low = v128.load32_splat(xd);
          const high = v128.load32_splat(xd, 4);
          const v0 = v128.load(at);
          const v1 = v128.load(at, 16);
          const v2 = v128.load(at, 32);
          const v3 = v128.load(at, 48);
          a0 = addDotI8<T>(a0, low, v128.and(v0, mask));
          a1 = addDotI8<T>(a1, low, v128.and(v1, mask));
          a2 = addDotI8<T>(a2, low, v128.and(v2, mask));
          a3 = addDotI8<T>(a3, low, v128.and(v3, mask));
          a0 = addDotI8<T>(a0, high, v128.and(i16x8.shr_u(v0, 4), mask));
          a1 = addDotI8<T>(a1, high, v128.and(i16x8.shr_u(v1, 4), mask));
          a2 = addDotI8<T>(a2, high, v128.and(i16x8.shr_u(v2, 4), mask));
          a3 = addDotI8<T>(a3, high, v128.and(i16x8.shr_u(v3, 4), mask));
          at += 64;
          xd += 8;
        }
        if (digit) {
          s0 = times254(s0);
          s1 = times254(s1);
          s2 = times254(s2);
          s3 = times254(s3);
        }
        s0 = i32x4.add(s0, sumsI32<T>(a0));
        s1 = i32x4.add(s1, sumsI32<T>(a1));
        s2 = i32x4.add(s2, sumsI32<T>(a2));
        s3 = i32x4.add(s3, sumsI32<T>(a3));
      }
      xq += 32;
    } else {
      s0 = dotCodesI16<u8, u8>(codes, codes + 256, xq, m0, m1, m2);
      s1 = dotCodesI16<u8, u16>(codes, codes + 256, xq, m0, m1, m2);
      s2 = dotCodesI16<u8, u32>(codes, codes + 256, xq, m0, m1, m2);
      s3 = dotCodesI16<u8, u64>(codes, codes + 256, xq, m0, m1, m2);
      if (!minima) {
        const centre = i32x4.splat(centreOfBlock(meta));
        s0 = i32x4.add(s0, centre);
        s1 = i32x4.add(s1, centre);
        s2 = i32x4.add(s2, centre);
        s3 = i32x4.add(s3, centre);
      }
      xq += 64;
    }
    const d = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    f0 = addScaled(f0, s0, loadF16x4(w), d);
    f1 = addScaled(f1, s1, loadF16x4(w + 8), d);
    f2 = addScaled(f2, s2, loadF16x4(w + 16), d);
    f3 = addScaled(f3, s3, loadF16x4(w + 24), d);
    if (minima) {
      const sum = v128.load32_splat(meta, offsetof<BlockMeta>("scaledSum"));
      f0 = addMinimum(f0, loadF16x4(w + 32), sum);
      f1 = addMinimum(f1, loadF16x4(w + 40), sum);
      f2 = addMinimum(f2, loadF16x4(w + 48), sum);
      f3 = addMinimum(f3, loadF16x4(w + 56), sum);
    }
    w = codes + 256;
    meta += META_BYTES;
  }
  storeGroup(dst, f0, f1, f2, f3);
}
