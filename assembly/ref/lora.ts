import { GROUP_ROWS, groupBytes } from "../layout";
import { Lora } from "../operations";
import { weightType } from "../weight-types";
import { matmulRowFloatRef } from "./matmul/row-float";
import { getF32, setF32 } from "./scalar";

export function loraRef(op: Lora, row: i32, rowScale: f32, scratch: usize): void {
  const x = op.src + <usize>(row * op.srcStride);
  const dst = op.dst + <usize>(row * op.dstStride);
  const scale: f32 = rowScale * op.scale;
  const aBytes = groupBytes(weightType(op.aType), op.columns);
  const bBytes = groupBytes(weightType(op.bType), op.rank);
  for (let g = 0; g * GROUP_ROWS < op.rank; g++) {
    matmulRowFloatRef(scratch + g * 64, op.a + g * aBytes, x, op.columns, op.aType);
  }
  const piece = scratch + ((op.rank + 15) / 16) * 64;
  for (let g = 0; g < op.groups; g++) {
    matmulRowFloatRef(piece, op.b + g * bBytes, scratch, op.rank, op.bType);
    for (let i = 0; i < GROUP_ROWS; i++) {
      const at = g * GROUP_ROWS + i;
      setF32(dst, at, getF32(dst, at) + scale * getF32(piece, i));
    }
  }
}
