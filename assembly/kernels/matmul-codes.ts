import { addDotI8, nibbleMask, startPairs, sumsI32, times254 } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";
import { firstCodes, highMask, lastCodes, plane, planesOf, stepBytes } from "./codes";
import { wordMask, wordSums } from "./matmul-words";
import { centreOf, secondStart } from "./tile";

/**
 * One group of 16 rows of codes of 4 to 6 bits times one quantised activation row: dst[0..16) = W x.
 *
 * Per 32 columns, or 16 where a scale has so many, in this order:
 *   acc += sum * (s_w * d_x)            sum: exact integer, of (code - zero) * x, or of code * x where there are minima
 *   acc += m_w * (d_x * sum of x)       with minima only
 *
 * i16 lanes are exact as in kernels/tile.ts, whose bits these are.
 *
 * @param dst f32[16]   @param w tiles without scales   @param scales f32 (kernels/scales.ts)   @param minima f32 or 0
 * @param x quantised row   @param planes of the codes (layout.ts)   @param perScale columns of a scale: 16 or 32
 */
export function gemvCodes(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  planes: i32,
  perScale: i32,
): void {
  if (planes == 0) gemv<i16, u8>(dst, w, scales, minima, x, columns, perScale);
  else if (planes == 1) gemv<i16, u16>(dst, w, scales, minima, x, columns, perScale);
  else gemv<i16, u32>(dst, w, scales, minima, x, columns, perScale);
}

/** The same where `FUSED_DOT`. */
export function gemvCodesFused(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  planes: i32,
  perScale: i32,
): void {
  if (planes == 0) gemv<i32, u8>(dst, w, scales, minima, x, columns, perScale);
  else if (planes == 1) gemv<i32, u16>(dst, w, scales, minima, x, columns, perScale);
  else gemv<i32, u32>(dst, w, scales, minima, x, columns, perScale);
}

/** T: lane of the integer sums, see `addDotI8`. P: see codes.ts. */
function gemv<T, P>(dst: usize, w: usize, scales: usize, minima: usize, x: usize, columns: i32, perScale: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "gemvCodes: columns must be a positive multiple of 32");
  const mask = nibbleMask();
  const high = highMask<P>();
  const halves = perScale < BLOCK;
  const span = <usize>(perScale >> 3) * stepBytes<P>();
  const half = <usize>((columns / perScale) << 5);
  const centred = !minima || sizeof<P>() > 1;
  let part: usize = 0; // 0, and 4 for the last half of a block that has two scales
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = ASC_FEATURE_RELAXED_SIMD ? x : x + 2 * <usize>columns;
  const m0 = wordMask<P>(0);
  const m1 = wordMask<P>(1);
  const m2 = wordMask<P>(2);
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  while (meta < metaEnd) {
    const end = w + span;
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    if (ASC_FEATURE_RELAXED_SIMD) {
      const digits = load<i32>(meta, 24);
      for (let digit = 0; digit < digits; digit++) {
        let xd = digit ? xq + <usize>columns : xq;
        let a0 = i32x4.splat(0);
        if (centred) {
          const start = digit
            ? secondStart(meta, halves ? <i32>part : 8)
            : v128.load32_splat(meta + (halves ? 32 + part : 8));
          a0 = startPairs<T>(i16x8.shl(start, planesOf<P>()));
        }
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
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
          at += stepBytes<P>();
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
      if (minima && sizeof<P>() > 1) {
        const centre = centreOf(meta);
        s0 = i32x4.add(s0, centre);
        s1 = i32x4.add(s1, centre);
        s2 = i32x4.add(s2, centre);
        s3 = i32x4.add(s3, centre);
      }
      xq += <usize>perScale;
    } else {
      s0 = wordSums<P, u8>(w, end, xq, m0, m1, m2);
      s1 = wordSums<P, u16>(w, end, xq, m0, m1, m2);
      s2 = wordSums<P, u32>(w, end, xq, m0, m1, m2);
      s3 = wordSums<P, u64>(w, end, xq, m0, m1, m2);
      if (!minima) {
        const start = i32x4.splat(startOfCodes(meta, halves, part) << planesOf<P>());
        s0 = i32x4.add(s0, start);
        s1 = i32x4.add(s1, start);
        s2 = i32x4.add(s2, start);
        s3 = i32x4.add(s3, start);
      }
      xq += <usize>(2 * perScale);
    }
    const d = v128.load32_splat(meta);
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(v128.load(scales), d)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(v128.load(scales, 16), d)));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(s2), f32x4.mul(v128.load(scales + half), d)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(s3), f32x4.mul(v128.load(scales + half, 16), d)));
    if (minima) {
      const sum = v128.load32_splat(meta + (halves ? 40 + part : 4));
      f0 = f32x4.add(f0, f32x4.mul(v128.load(minima), sum));
      f1 = f32x4.add(f1, f32x4.mul(v128.load(minima, 16), sum));
      f2 = f32x4.add(f2, f32x4.mul(v128.load(minima + half), sum));
      f3 = f32x4.add(f3, f32x4.mul(v128.load(minima + half, 16), sum));
      minima += 32;
    }
    scales += 32;
    w = end;
    if (halves) part ^= 4;
    if (!part) meta += META_BYTES;
  }
  v128.store(dst, f0);
  v128.store(dst, f1, 16);
  v128.store(dst, f2, 32);
  v128.store(dst, f3, 48);
}

/** -8 times the sum of the 16-bit codes of a block, or of the half that `part` says. */
function startOfCodes(meta: usize, halves: bool, part: usize): i32 {
  if (!halves) return load<i32>(meta, 16) + load<i32>(meta, 20);
  const first = <i32>load<i16>(meta + part, 32) + <i32>load<i16>(meta + part, 34);
  if (load<i32>(meta, 24) < 2) return first;
  const left = <i32>load<i16>(meta, 28) + <i32>load<i16>(meta, 30);
  const all = <i32>load<i16>(meta, 12) + <i32>load<i16>(meta, 14);
  return 254 * first + (part ? all - left : left);
}
