import { loadBF16x4, loadF16x4 } from "../../lanes";
import { BLOCK } from "../../layout";
import { Matmul } from "../../operations";
import { BF16, F16, F32 } from "../../weight-types";
import { storeGroup } from "./accumulate";
import { One, Two } from "./multiply";

/** Stand for the types of the weights. */
class Half {}
class Brain {}
class Single {}

/**
 * One group of 16 rows of an F32, F16 or BF16 matrix times one f32 row: dst[0..16) = W x.
 * Columns are summed in blocks of 32, in f32 and in order, then the blocks in order, because short sums have smaller
 * rounding errors than a long one.
 * @param dst f32[16]   @param w tiles [columns]   @param x f32[columns]   @param type F32, F16 or BF16
 */
export function matmulRowFloat(dst: usize, w: usize, x: usize, columns: i32, type: i32): void {
  assert(columns > 0, "matmulRowFloat: columns must be positive");
  assert(type == F32 || type == F16 || type == BF16, "matmulRowFloat: type must be F32, F16 or BF16");
  if (type == F16) rowsFloat<Half, One>(dst, w, x, columns, 0, 0);
  else if (type == BF16) rowsFloat<Brain, One>(dst, w, x, columns, 0, 0);
  else rowsFloat<Single, One>(dst, w, x, columns, 0, 0);
}

/**
 * The same for all activation rows of an operation. Two of them share each weight that is loaded and converted.
 * @param dst f32[16] of the first row; op.dstStride bytes lead to the next
 */
export function matmulRowsFloat(op: Matmul, dst: usize, group: usize, rows: i32): void {
  const dstStep = <usize>op.dstStride;
  const srcStep = <usize>op.srcStride;
  let x = op.src;
  for (let r = rows >> 1; r > 0; r--) {
    if (op.type == F16) rowsFloat<Half, Two>(dst, group, x, op.columns, dstStep, srcStep);
    else if (op.type == BF16) rowsFloat<Brain, Two>(dst, group, x, op.columns, dstStep, srcStep);
    else rowsFloat<Single, Two>(dst, group, x, op.columns, dstStep, srcStep);
    dst += 2 * dstStep;
    x += 2 * srcStep;
  }
  if (rows & 1) matmulRowFloat(dst, group, x, op.columns, op.type);
}

function loadWeights<W>(at: usize, i: usize): v128 {
  if (idof<W>() == idof<Half>()) return loadF16x4(at + 8 * i);
  if (idof<W>() == idof<Brain>()) return loadBF16x4(at + 8 * i);
  return v128.load(at + 16 * i);
}

/** The kernel, compiled for the weights' type W and the number R of activation rows, One or Two. */
function rowsFloat<W, R>(dst: usize, w: usize, x: usize, columns: i32, dstStep: usize, srcStep: usize): void {
  const two = idof<R>() == idof<Two>();
  const stride: usize = idof<W>() == idof<Single>() ? 64 : 32;
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  let f2 = f32x4.splat(0);
  let f3 = f32x4.splat(0);
  let g0 = f0;
  let g1 = f0;
  let g2 = f0;
  let g3 = f0;
  for (let begin = 0; begin < columns; begin += BLOCK) {
    const end = x + ((<usize>min(BLOCK, columns - begin)) << 2);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let t0 = s0;
    let t1 = s0;
    let t2 = s0;
    let t3 = s0;
    while (x < end) {
      const v = v128.load32_splat(x);
      const w0 = loadWeights<W>(w, 0);
      const w1 = loadWeights<W>(w, 1);
      const w2 = loadWeights<W>(w, 2);
      const w3 = loadWeights<W>(w, 3);
      s0 = f32x4.add(s0, f32x4.mul(w0, v));
      s1 = f32x4.add(s1, f32x4.mul(w1, v));
      s2 = f32x4.add(s2, f32x4.mul(w2, v));
      s3 = f32x4.add(s3, f32x4.mul(w3, v));
      if (two) {
        const u = v128.load32_splat(x + srcStep);
        t0 = f32x4.add(t0, f32x4.mul(w0, u));
        t1 = f32x4.add(t1, f32x4.mul(w1, u));
        t2 = f32x4.add(t2, f32x4.mul(w2, u));
        t3 = f32x4.add(t3, f32x4.mul(w3, u));
      }
      w += stride;
      x += 4;
    }
    f0 = f32x4.add(f0, s0);
    f1 = f32x4.add(f1, s1);
    f2 = f32x4.add(f2, s2);
    f3 = f32x4.add(f3, s3);
    if (two) {
      g0 = f32x4.add(g0, t0);
      g1 = f32x4.add(g1, t1);
      g2 = f32x4.add(g2, t2);
      g3 = f32x4.add(g3, t3);
    }
  }
  storeGroup(dst, f0, f1, f2, f3);
  if (two) storeGroup(dst + dstStep, g0, g1, g2, g3);
}
