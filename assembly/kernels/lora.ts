import { groupBytes } from "../layout";
import { Lora } from "../operations";
import { weightType } from "../weight-types";
import { matmulRowFloat } from "./matmul/row-float";

/** Bytes of scratch per thread that `lora` needs: A x in whole groups of rows, and 16 rows of B (A x). */
export function loraScratchBytes(rank: i32): i32 {
  return ((rank + 15) & ~15) * 4 + 64;
}

/**
 * Adds a low-rank adapter's product to one row of a matmul (LoRA, Hu et al. 2021): dst += scale * rowScale * B (A x).
 * It is computed in f32 whatever the type of W, because an adapter has only about a hundredth of the model's weights.
 * The sums are those of matmulRowFloat. Each is multiplied by both scales and added to dst.
 * @param op a and b are tiles [rank, columns] and [16 groups, rank] of F32, F16 or BF16; src is f32[columns] and dst
 *   f32[16 groups] per row
 * @param row of src and dst   @param rowScale how strongly the row takes the adapter
 * @param scratch loraScratchBytes of this thread, 16-byte aligned
 */
export function lora(op: Lora, row: i32, rowScale: f32, scratch: usize): void {
  const rank = op.rank;
  assert(rank > 0 && op.groups > 0, "lora: rank and groups must be positive");
  const x = op.src + <usize>(row * op.srcStride);
  const aBytes = <usize>groupBytes(weightType(op.aType), op.columns);
  const bBytes = <usize>groupBytes(weightType(op.bType), rank);
  let a = op.a;
  for (let r = 0; r < rank; r += 16) {
    matmulRowFloat(scratch + ((<usize>r) << 2), a, x, op.columns, op.aType);
    a += aBytes;
  }
  const piece = scratch + (((<usize>rank + 15) & ~15) << 2);
  const by = f32x4.splat(rowScale * op.scale);
  let dst = op.dst + <usize>(row * op.dstStride);
  let b = op.b;
  for (let g = op.groups; g > 0; g--) {
    matmulRowFloat(piece, b, scratch, rank, op.bType);
    for (let i: usize = 0; i < 64; i += 16) {
      v128.store(dst + i, f32x4.add(v128.load(dst + i), f32x4.mul(by, v128.load(piece + i))));
    }
    b += bBytes;
    dst += 64;
  }
}
