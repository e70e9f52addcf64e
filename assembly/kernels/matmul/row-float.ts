import { loadBF16x4, loadF16x4 } from "../../lanes";
import { BLOCK } from "../../layout";
import { BF16, F16, F32 } from "../../weight-types";
import { storeGroup } from "./accumulate";

/**
 * One group of 16 rows of an F32, F16 or BF16 matrix times one f32 row: dst[0..16) = W x.
 * Columns are summed in blocks of 32, in f32 and in order, then the blocks in order, because short sums have smaller
 * rounding errors than a long one.
 * @param dst f32[16]   @param w tiles [columns]   @param x f32[columns]   @param type F32, F16 or BF16
 */
export function matmulRowFloat(dst: usize, w: usize, x: usize, columns: i32, type: i32): void {
  assert(columns > 0, "matmulRowFloat: columns must be positive");
  assert(type == F32 || type == F16 || type == BF16, "matmulRowFloat: type must be F32, F16 or BF16");
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  for (let begin = 0; begin < columns; begin += BLOCK) {
    const end = x + ((<usize>min(BLOCK, columns - begin)) << 2);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    while (x < end) {
      const v = v128.load32_splat(x);
      if (type == F16) {
        s0 = f32x4.add(s0, f32x4.mul(loadF16x4(w), v));
        s1 = f32x4.add(s1, f32x4.mul(loadF16x4(w + 8), v));
        s2 = f32x4.add(s2, f32x4.mul(loadF16x4(w + 16), v));
        s3 = f32x4.add(s3, f32x4.mul(loadF16x4(w + 24), v));
        w += 32;
      } else if (type == BF16) {
        s0 = f32x4.add(s0, f32x4.mul(loadBF16x4(w), v));
        s1 = f32x4.add(s1, f32x4.mul(loadBF16x4(w + 8), v));
        s2 = f32x4.add(s2, f32x4.mul(loadBF16x4(w + 16), v));
        s3 = f32x4.add(s3, f32x4.mul(loadBF16x4(w + 24), v));
        w += 32;
      } else {
        s0 = f32x4.add(s0, f32x4.mul(v128.load(w), v));
        s1 = f32x4.add(s1, f32x4.mul(v128.load(w, 16), v));
        s2 = f32x4.add(s2, f32x4.mul(v128.load(w, 32), v));
        s3 = f32x4.add(s3, f32x4.mul(v128.load(w, 48), v));
        w += 64;
      }
      x += 4;
    }
    f0 = f32x4.add(f0, s0);
    f1 = f32x4.add(f1, s1);
    f2 = f32x4.add(f2, s2);
    f3 = f32x4.add(f3, s3);
  }
  storeGroup(dst, f0, f1, f2, f3);
}
