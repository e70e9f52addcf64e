import { GROUP_ROWS, groupBytes, Q4_0, Q4_1, Q8_0 } from "../layout";
import { gemvFloat } from "./matmul-float";
import { gemvQ4 } from "./matmul-q4";
import { gemvQ8 } from "./matmul-q8";

/**
 * dst[r][16 g .. 16 g + 16) = W[group g] x[r], for groups [groupBegin, groupEnd) and all activation rows.
 * A group's weights stay in L1 while all rows pass: memory is read once, in address order.
 * @param dst f32, `dstStride` bytes a row   @param x rows of `xStride` bytes: quantised, or f32 for float weights
 * @param w all groups of the matrix, tiled (layout.ts)
 */
export function matmul(
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
  assert(rows >= 0 && groupBegin >= 0, "matmul: rows and groups must not be negative");
  assert(dstStride >= groupEnd * GROUP_ROWS * 4 || rows <= 1, "matmul: dstStride must hold a row of the result");
  const bytes = <usize>groupBytes(type, columns);
  for (let g = groupBegin; g < groupEnd; g++) {
    const group = w + <usize>g * bytes;
    let out = dst + ((<usize>g) << 6);
    let row = x;
    for (let r = 0; r < rows; r++) {
      if (type == Q4_0) gemvQ4(out, group, row, columns, 0);
      else if (type == Q4_1) gemvQ4(out, group, row, columns, 1);
      else if (type == Q8_0) gemvQ8(out, group, row, columns);
      else gemvFloat(out, group, row, columns, type);
      out += <usize>dstStride;
      row += <usize>xStride;
    }
  }
}
