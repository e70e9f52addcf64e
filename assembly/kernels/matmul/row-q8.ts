import { BlockMeta, META_BYTES } from "../../activations";
import { loadF16x4 } from "../../lanes";
import { BLOCK } from "../../layout";
import { addScaled, storeGroup } from "./accumulate";

/**
 * One group of 16 rows of a Q8_0 matrix times one quantised activation row: dst[0..16) = W x.
 * The sum of a block is exact in i32: at most 32 * 128 * 32767 < 2^27. accumulate.ts has the f32 part. Every build uses
 * the same instructions. The relaxed dot product does not take codes below zero, so weights are widened to i16, and
 * then activations of 16 bits cost nothing more.
 * @param dst f32[16]   @param w tiles [columns / 32]   @param x a wide quantised row of `columns` columns, a multiple of 32
 */
export function matmulRowQ8(dst: usize, w: usize, x: usize, columns: i32): void {
  assert(columns > 0 && columns % BLOCK == 0, "matmulRowQ8: columns must be a positive multiple of 32");
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
    const d = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    f0 = addScaled(f0, s0, loadF16x4(w), d);
    f1 = addScaled(f1, s1, loadF16x4(w + 8), d);
    f2 = addScaled(f2, s2, loadF16x4(w + 16), d);
    f3 = addScaled(f3, s3, loadF16x4(w + 24), d);
    w = end;
    meta += META_BYTES;
  }
  storeGroup(dst, f0, f1, f2, f3);
}
