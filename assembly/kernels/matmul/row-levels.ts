import { BlockMeta, META_BYTES } from "../../activations";
import { BLOCK } from "../../layout";
import { addScaled, storeGroup } from "./accumulate";
import { dotLevelsI16 } from "./row-i16";

/**
 * One group of 16 rows of 4-bit codes that are indices into a table of levels, times one quantised activation row:
 * dst[0..16) = W x. The sum of a block is exact in i32: at most 32 * 128 * 32767 < 2^27. accumulate.ts has the f32
 * part. Levels have a sign, which the relaxed dot does not take: as with int8 weights, every build multiplies i16.
 * @param dst f32[16]   @param w tiles without scales   @param scales f32 (kernels/weights/scales.ts)
 * @param x a wide quantised row of `columns` columns, a multiple of 32   @param table sixteen levels i8
 */
export function matmulRowLevels(dst: usize, w: usize, scales: usize, x: usize, columns: i32, table: usize): void {
  assert(columns > 0 && columns % BLOCK == 0, "matmulRowLevels: columns must be a positive multiple of 32");
  const all = v128.load(table);
  let meta = x + 4 * <usize>columns;
  const metaEnd = meta + <usize>((columns / BLOCK) * META_BYTES);
  let xq = x + 2 * <usize>columns;
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  while (meta < metaEnd) {
    const s0 = dotLevelsI16(w, xq, all);
    const s1 = dotLevelsI16(w + 16, xq, all);
    const s2 = dotLevelsI16(w + 32, xq, all);
    const s3 = dotLevelsI16(w + 48, xq, all);
    const d = v128.load32_splat(meta, offsetof<BlockMeta>("scale"));
    f0 = addScaled(f0, s0, v128.load(scales), d);
    f1 = addScaled(f1, s1, v128.load(scales, 16), d);
    f2 = addScaled(f2, s2, v128.load(scales, 32), d);
    f3 = addScaled(f3, s3, v128.load(scales, 48), d);
    scales += 64;
    w += 256;
    xq += 64;
    meta += META_BYTES;
  }
  storeGroup(dst, f0, f1, f2, f3);
}
