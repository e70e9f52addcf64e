import { loadF16x4 } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";

/**
 * One group of 16 rows of a Q8_0 matrix times one quantised activation row: dst[0..16) = W x.
 * Per block: acc += sum * (d_w * d_x), the sum exact in i32 (at most 32 * 128 * 32767 < 2^27). Both builds
 * use the same instructions: codes below zero keep int8 products off the relaxed dot, and widened to i16 the activations
 * may as well have 16 bits.
 * @param dst f32[16]   @param w tiles [columns / 32]   @param x quantised row, wide
 */
export function gemvQ8(dst: usize, w: usize, x: usize, columns: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "gemvQ8: columns must be a positive multiple of 32");
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = x + 2 * <usize>columns;
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  while (meta < metaEnd) {
    let s0 = i32x4.splat(0);
    let s1 = i32x4.splat(0);
    let s2 = i32x4.splat(0);
    let s3 = i32x4.splat(0);
    let at = w + 32;
    const end = at + 512;
    while (at < end) {
      const pair = v128.load32_splat(xq);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(at), pair));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(at, 8), pair));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(at, 16), pair));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(at, 24), pair));
      at += 32;
      xq += 4;
    }
    const d = v128.load32_splat(meta);
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(loadF16x4(w), d)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(loadF16x4(w + 8), d)));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(s2), f32x4.mul(loadF16x4(w + 16), d)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(s3), f32x4.mul(loadF16x4(w + 24), d)));
    w = end;
    meta += META_BYTES;
  }
  v128.store(dst, f0);
  v128.store(dst, f1, 16);
  v128.store(dst, f2, 32);
  v128.store(dst, f3, 48);
}
