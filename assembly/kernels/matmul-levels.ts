import { BLOCK, META_BYTES } from "../layout";
import { levelSums } from "./matmul-words";

/**
 * One group of 16 rows of 4-bit codes into a table of levels, times one quantised activation row: dst[0..16) = W x.
 * Per block: acc += sum * (s_w * d_x), the sum exact in i32 (at most 32 * 127 * 32767 < 2^27). Levels have a sign, which the
 * relaxed dot does not take: as with int8 weights, products are those of i16 in every build.
 * @param dst f32[16]   @param w tiles without scales   @param scales f32 (kernels/scales.ts)   @param x quantised row, wide
 * @param table sixteen levels i8
 */
export function gemvLevels(dst: usize, w: usize, scales: usize, x: usize, columns: i32, table: usize): void {
  assert(columns > 0 && columns % BLOCK == 0, "gemvLevels: columns must be a positive multiple of 32");
  const all = v128.load(table);
  const half = <usize>columns;
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = x + 2 * <usize>columns;
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  while (meta < metaEnd) {
    const s0 = levelSums(w, xq, all);
    const s1 = levelSums(w + 16, xq, all);
    const s2 = levelSums(w + 32, xq, all);
    const s3 = levelSums(w + 48, xq, all);
    const d = v128.load32_splat(meta);
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(v128.load(scales), d)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(v128.load(scales, 16), d)));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(s2), f32x4.mul(v128.load(scales + half), d)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(s3), f32x4.mul(v128.load(scales + half, 16), d)));
    scales += 32;
    w += 256;
    xq += 64;
    meta += META_BYTES;
  }
  v128.store(dst, f0);
  v128.store(dst, f1, 16);
  v128.store(dst, f2, 32);
  v128.store(dst, f3, 48);
}
