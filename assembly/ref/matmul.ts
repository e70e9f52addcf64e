import { groupBytes, Q4_0, Q4_1, Q8_0 } from "../layout";
import { gemvFloatRef } from "./matmul-float";
import { gemvQ4Ref } from "./matmul-q4";
import { gemvQ8Ref } from "./matmul-q8";

export function matmulRef(
  dst: usize,
  dstStride: i32,
  x: usize,
  xStride: i32,
  rows: i32,
  w: usize,
  type: i32,
  columns: i32,
  groupBegin: i32,
  groupEnd: i32,
): void {
  for (let r = 0; r < rows; r++) {
    for (let g = groupBegin; g < groupEnd; g++) {
      const out = dst + <usize>(r * dstStride + g * 64);
      const row = x + <usize>(r * xStride);
      const group = w + <usize>(g * groupBytes(type, columns));
      if (type == Q4_0 || type == Q4_1) gemvQ4Ref(out, group, row, columns, type == Q4_1 ? 1 : 0);
      else if (type == Q8_0) gemvQ8Ref(out, group, row, columns);
      else gemvFloatRef(out, group, row, columns, type);
    }
  }
}
