import { BlockMeta, META_BYTES } from "../../activations";
import { addDotI8, FUSED_DOT, loadF16x4, nibbleMask, pairsTo, sumsI32, times254 } from "../../lanes";
import { BLOCK } from "../../layout";
import { Matmul } from "../../operations";
import { WeightType } from "../../weight-types";
import { firstCodes, highMask, lastCodes, plane, planesOf, stepBytes } from "../weights/codes";
import { addMinimum, addScaled, storeGroup } from "./accumulate";
import { Centre, centreOfBlock, centreOfSubBlock, firstCentreAt, scaledSumAt, secondCentre, uncentre } from "./centre";
import { One, Two } from "./multiply";
import { codeMask, dotCodesI16 } from "./row-i16";

// One group of 16 rows of codes of 4 to 6 bits times one quantised activation row: dst[0..16) = W x.
//
// The sum of a block (or of 16 columns, where they have a scale of their own) is that of (code - zero) * x, or where
// there are minima that of code * x. It is exact. accumulate.ts has the f32 part.
//
// The relaxed build multiplies digit by digit and adds i32 lanes, or i16 as in tile.ts: the sum of (code - 8) * x over a
// lane's 16 columns is at most 16,256 for codes of 4 bits, that of code * x at most 15 * 127 * 16 = 30,480.
// Intermediate sums may wrap, which does not change the final sum. The second operand of the relaxed dot is a code
// below 64, for which all engines agree. The baseline build multiplies the i16 codes (row-i16.ts); 254 * first + second
// digit is the same integer.

/**
 * Multiplies Q4_0 or Q4_1, whose tiles begin with their scales.
 * @param dst f32[16]   @param w tiles [columns / 32]   @param x a quantised row of `columns` columns, a multiple of 32
 * @param minima 1 for Q4_1, 0 for Q4_0
 */
export function matmulRowQ4(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  rowCodes<i16, u8, u16, One>(dst, w + (minima ? 64 : 32), w, minima ? w + 32 : 0, x, columns, BLOCK, 0, 0);
}

/** The same where `FUSED_DOT`. */
export function matmulRowQ4Fused(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  rowCodes<i32, u8, u16, One>(dst, w + (minima ? 64 : 32), w, minima ? w + 32 : 0, x, columns, BLOCK, 0, 0);
}

/**
 * Multiplies two groups of Q4_0 or Q4_1 in the relaxed build. Reading from two places far apart keeps more cache misses
 * in flight, and both groups share the loads of activations. With vectors of 256 bits the sums of both fit the registers.
 * @param far bytes from the first group to the other one   @param farDst bytes from its results to those of the other
 */
export function matmulTwoRowsQ4(op: Matmul, group: usize, dst: usize, far: usize, farDst: usize, minima: i32): void {
  // Two calls of each kernel, because V8 inlines a function that is called at one place, and does not pack it then.
  if (minima) {
    const at = group + 32;
    if (FUSED_DOT) rowCodes<i32, u8, u16, Two>(dst, group + 64, group, at, op.src, op.columns, BLOCK, far, farDst);
    else rowCodes<i16, u8, u16, Two>(dst, group + 64, group, at, op.src, op.columns, BLOCK, far, farDst);
  } else if (FUSED_DOT) rowCodes<i32, u8, u16, Two>(dst, group + 32, group, 0, op.src, op.columns, BLOCK, far, farDst);
  else rowCodes<i16, u8, u16, Two>(dst, group + 32, group, 0, op.src, op.columns, BLOCK, far, farDst);
}

/**
 * Multiplies types whose scales have been unpacked (kernels/weights/scales.ts).
 * @param dst f32[16]   @param w tiles without scales   @param scales f32   @param minima f32, or 0
 * @param x a quantised row of `columns` columns, a multiple of 32
 */
export function matmulRowCodes(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  type: WeightType,
): void {
  const perScale = type.columnsPerScale;
  if (type.planes == 0) rowCodes<i16, u8, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
  else if (type.planes == 1) rowCodes<i16, u16, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
  else rowCodes<i16, u32, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
}

/** The same where `FUSED_DOT`. */
export function matmulRowCodesFused(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  type: WeightType,
): void {
  const perScale = type.columnsPerScale;
  if (type.planes == 0) rowCodes<i32, u8, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
  else if (type.planes == 1) rowCodes<i32, u16, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
  else rowCodes<i32, u32, f32, One>(dst, w, scales, minima, x, columns, perScale, 0, 0);
}

/**
 * The kernel, compiled for its type parameters. T is a lane of the integer sums (`addDotI8`), P stands for the planes
 * of the codes (codes.ts), and S is u16 where scales and minima are f16 in the tiles, f32 where they are unpacked.
 * G is the number of groups, One or Two; Two takes codes of 4 bits with f16 in the relaxed build.
 * @param w the first codes   @param scales the first scales   @param minima the first minima, or 0
 * @param far, farDst bytes from the group and its results to the other ones, for Two
 */
function rowCodes<T, P, S, G>(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  perScale: i32,
  far: usize,
  farDst: usize,
): void {
  const two = idof<G>() == idof<Two>();
  assert(columns > 0 && columns % BLOCK == 0, "matmulRow: columns must be a positive multiple of 32");
  const columnsPerScale = sizeof<S>() == 2 ? BLOCK : perScale;
  // Bytes from the scales of a block to those of the next, and from the end of its codes to the next ones.
  const gap: usize = sizeof<S>() == 2 ? (minima ? 64 : 32) : 0;
  const scaleStep: usize = sizeof<S>() == 2 ? gap + 256 : 64;
  const mask = nibbleMask();
  const high = highMask<P>();
  const subBlocks = columnsPerScale < BLOCK;
  const span = <usize>(columnsPerScale >> 3) * stepBytes<P>();
  const centred = !minima || sizeof<P>() > 1;
  let sub: usize = 0; // which sub-block, see centre.ts
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = ASC_FEATURE_RELAXED_SIMD ? x : x + 2 * <usize>columns;
  const m0 = codeMask<P>(0);
  const m1 = codeMask<P>(1);
  const m2 = codeMask<P>(2);
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  let f4 = f0;
  let f5 = f0;
  let f6 = f0;
  let f7 = f0;
  while (meta < metaEnd) {
    const end = w + span;
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    if (ASC_FEATURE_RELAXED_SIMD) {
      const digits = load<i32>(meta, offsetof<BlockMeta>("digits"));
      for (let digit = 0; digit < digits; digit++) {
        let xd = digit ? xq + <usize>columns : xq;
        let a0 = i32x4.splat(0);
        if (centred) {
          const centre = digit
            ? secondCentre(meta, subBlocks ? <i32>sub : Centre.BLOCK)
            : v128.load32_splat(firstCentreAt(meta, subBlocks, sub));
          a0 = pairsTo<T>(sizeof<P>() == 1 ? centre : i16x8.shl(centre, planesOf<P>()));
        }
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
        let a4 = a0;
        let a5 = a0;
        let a6 = a0;
        let a7 = a0;
        let at = w;
        while (at < end) {
          const low = v128.load32_splat(xd);
          const last = v128.load32_splat(xd, 4);
          const h0 = plane<P>(at, 0);
          const v0 = v128.load(at);
          const v1 = v128.load(at, 16);
          a0 = addDotI8<T>(a0, low, firstCodes<P>(v0, h0, 0, mask, high));
          a1 = addDotI8<T>(a1, low, firstCodes<P>(v1, h0, 1, mask, high));
          a0 = addDotI8<T>(a0, last, lastCodes<P>(v0, h0, 0, mask, high));
          a1 = addDotI8<T>(a1, last, lastCodes<P>(v1, h0, 1, mask, high));
          const h2 = plane<P>(at, 2);
          const v2 = v128.load(at, 32);
          const v3 = v128.load(at, 48);
          a2 = addDotI8<T>(a2, low, firstCodes<P>(v2, h2, 2, mask, high));
          a3 = addDotI8<T>(a3, low, firstCodes<P>(v3, h2, 3, mask, high));
          a2 = addDotI8<T>(a2, last, lastCodes<P>(v2, h2, 2, mask, high));
          a3 = addDotI8<T>(a3, last, lastCodes<P>(v3, h2, 3, mask, high));
          if (two) {
            const v4 = v128.load(at + far);
            const v5 = v128.load(at + far, 16);
            const v6 = v128.load(at + far, 32);
            const v7 = v128.load(at + far, 48);
            a4 = addDotI8<T>(a4, low, v128.and(v4, mask));
            a5 = addDotI8<T>(a5, low, v128.and(v5, mask));
            a6 = addDotI8<T>(a6, low, v128.and(v6, mask));
            a7 = addDotI8<T>(a7, low, v128.and(v7, mask));
            a4 = addDotI8<T>(a4, last, v128.and(i16x8.shr_u(v4, 4), mask));
            a5 = addDotI8<T>(a5, last, v128.and(i16x8.shr_u(v5, 4), mask));
            a6 = addDotI8<T>(a6, last, v128.and(i16x8.shr_u(v6, 4), mask));
            a7 = addDotI8<T>(a7, last, v128.and(i16x8.shr_u(v7, 4), mask));
          }
          at += stepBytes<P>();
          xd += 8;
        }
        if (digit) {
          s0 = times254(s0);
          s1 = times254(s1);
          s2 = times254(s2);
          s3 = times254(s3);
          if (two) {
            s4 = times254(s4);
            s5 = times254(s5);
            s6 = times254(s6);
            s7 = times254(s7);
          }
        }
        s0 = i32x4.add(s0, sumsI32<T>(a0));
        s1 = i32x4.add(s1, sumsI32<T>(a1));
        s2 = i32x4.add(s2, sumsI32<T>(a2));
        s3 = i32x4.add(s3, sumsI32<T>(a3));
        if (two) {
          s4 = i32x4.add(s4, sumsI32<T>(a4));
          s5 = i32x4.add(s5, sumsI32<T>(a5));
          s6 = i32x4.add(s6, sumsI32<T>(a6));
          s7 = i32x4.add(s7, sumsI32<T>(a7));
        }
      }
      if (minima && sizeof<P>() > 1) {
        const centre = uncentre(meta);
        s0 = i32x4.add(s0, centre);
        s1 = i32x4.add(s1, centre);
        s2 = i32x4.add(s2, centre);
        s3 = i32x4.add(s3, centre);
      }
      xq += <usize>columnsPerScale;
    } else {
      s0 = dotCodesI16<P, u8>(w, end, xq, m0, m1, m2);
      s1 = dotCodesI16<P, u16>(w, end, xq, m0, m1, m2);
      s2 = dotCodesI16<P, u32>(w, end, xq, m0, m1, m2);
      s3 = dotCodesI16<P, u64>(w, end, xq, m0, m1, m2);
      if (!minima) {
        const centre = i32x4.splat((subBlocks ? centreOfSubBlock(meta, sub) : centreOfBlock(meta)) << planesOf<P>());
        s0 = i32x4.add(s0, centre);
        s1 = i32x4.add(s1, centre);
        s2 = i32x4.add(s2, centre);
        s3 = i32x4.add(s3, centre);
      }
      xq += <usize>(2 * columnsPerScale);
    }
    const d = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    f0 = addScaled(f0, s0, loadScales<S>(scales, 0), d);
    f1 = addScaled(f1, s1, loadScales<S>(scales, 1), d);
    f2 = addScaled(f2, s2, loadScales<S>(scales, 2), d);
    f3 = addScaled(f3, s3, loadScales<S>(scales, 3), d);
    if (two) {
      f4 = addScaled(f4, s4, loadScales<S>(scales + far, 0), d);
      f5 = addScaled(f5, s5, loadScales<S>(scales + far, 1), d);
      f6 = addScaled(f6, s6, loadScales<S>(scales + far, 2), d);
      f7 = addScaled(f7, s7, loadScales<S>(scales + far, 3), d);
    }
    if (minima) {
      const sum = v128.load32_splat(scaledSumAt(meta, subBlocks, sub));
      f0 = addMinimum(f0, loadScales<S>(minima, 0), sum);
      f1 = addMinimum(f1, loadScales<S>(minima, 1), sum);
      f2 = addMinimum(f2, loadScales<S>(minima, 2), sum);
      f3 = addMinimum(f3, loadScales<S>(minima, 3), sum);
      if (two) {
        f4 = addMinimum(f4, loadScales<S>(minima + far, 0), sum);
        f5 = addMinimum(f5, loadScales<S>(minima + far, 1), sum);
        f6 = addMinimum(f6, loadScales<S>(minima + far, 2), sum);
        f7 = addMinimum(f7, loadScales<S>(minima + far, 3), sum);
      }
      minima += scaleStep;
    }
    scales += scaleStep;
    w = end + gap;
    if (subBlocks) sub ^= 4;
    if (!sub) meta += META_BYTES;
  }
  storeGroup(dst, f0, f1, f2, f3);
  if (two) storeGroup(dst + farDst, f4, f5, f6, f7);
}

/** Loads the scales, or minima, of four rows. */
function loadScales<S>(at: usize, quad: i32): v128 {
  if (sizeof<S>() == 2) return loadF16x4(at + ((<usize>quad) << 3));
  return v128.load(at + ((<usize>quad) << 4));
}
