import { nibbleMask } from "../lanes";
import { BLOCK, META_BYTES } from "../layout";
import { levels } from "./codes";

/**
 * One group of 16 rows of 4-bit codes into a table of levels, times one quantised activation row: dst[0..16) = W x.
 * Per block: acc += sum * (s_w * d_x), the sum exact in i32 (at most 32 * 127 * 32767 < 2^27). Levels have a sign, which the
 * relaxed dot does not take: as with int8 weights, products are those of i16 in every build.
 * @param dst f32[16]   @param w tiles without scales   @param scales f32 (kernels/scales.ts)   @param x quantised row, wide
 * @param table sixteen levels i8
 */
export function gemvLevels(dst: usize, w: usize, scales: usize, x: usize, columns: i32, table: usize): void {
  assert(columns > 0 && columns % BLOCK == 0, "gemvLevels: columns must be a positive multiple of 32");
  const mask = nibbleMask();
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
    const s0 = quadSums(w, xq, all, mask);
    const s1 = quadSums(w + 16, xq, all, mask);
    const s2 = quadSums(w + 32, xq, all, mask);
    const s3 = quadSums(w + 48, xq, all, mask);
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

/** Sums of four rows over a block. `at`: the quad's vectors, 64 bytes apart; `x`: i16[32]. */
function quadSums(at: usize, x: usize, all: v128, mask: v128): v128 {
  let rows01 = i32x4.splat(0); // lanes: row 0 columns 01, row 0 columns 23, row 1 columns 01, row 1 columns 23
  let rows23 = rows01;
  const end = at + 256;
  while (at < end) {
    const v = v128.load(at);
    const first = levels(all, v128.and(v, mask));
    const last = levels(all, v128.and(i16x8.shr_u(v, 4), mask));
    const xf = v128.load64_splat(x);
    const xl = v128.load64_splat(x, 8);
    rows01 = i32x4.add(rows01, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(first), xf));
    rows23 = i32x4.add(rows23, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(first), xf));
    rows01 = i32x4.add(rows01, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(last), xl));
    rows23 = i32x4.add(rows23, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(last), xl));
    at += 64;
    x += 16;
  }
  return i32x4.add(v128.shuffle<i32>(rows01, rows23, 0, 2, 4, 6), v128.shuffle<i32>(rows01, rows23, 1, 3, 5, 7));
}
