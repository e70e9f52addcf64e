import { groupBytes } from "../layout";
import { gemvFloat } from "./matmul-float";

/** Bytes of scratch that `addLowRank` needs. */
export function lowRankScratchBytes(rank: i32): i32 {
  return ((rank + 15) & ~15) * 4 + 64;
}

/**
 * dst += scale B (A x), one row: what a low-rank adapter adds to a product (LoRA, Hu et al. 2021). All in f32, whatever
 * the type of W: A x is short, and an adapter has a hundredth of the model's weights.
 * @param dst f32[16 groups]   @param x f32[columns]
 * @param a tiles [rank, columns] of aType   @param b tiles [groups of 16 rows, rank] of bType, both F32, F16 or BF16
 * @param scratch lowRankScratchBytes, 16-byte aligned
 */
export function addLowRank(
  dst: usize,
  x: usize,
  a: usize,
  aType: i32,
  columns: i32,
  rank: i32,
  b: usize,
  bType: i32,
  groups: i32,
  scale: f32,
  scratch: usize,
): void {
  assert(rank > 0 && groups > 0, "addLowRank: rank and groups must be positive");
  for (let r = 0; r < rank; r += 16) {
    gemvFloat(scratch + ((<usize>r) << 2), a, x, columns, aType);
    a += groupBytes(aType, columns);
  }
  const piece = scratch + (((<usize>rank + 15) & ~15) << 2);
  const by = f32x4.splat(scale);
  for (let g = 0; g < groups; g++) {
    gemvFloat(piece, b, scratch, rank, bType);
    b += groupBytes(bType, rank);
    for (let i: usize = 0; i < 64; i += 16) {
      v128.store(dst + i, f32x4.add(v128.load(dst + i), f32x4.mul(by, v128.load(piece + i))));
    }
    dst += 64;
  }
}
