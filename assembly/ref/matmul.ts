import { groupBytes, Q4_0, Q4_1, Q8_0, TILE_TOKENS } from "../layout";
import { gemvFloatRef } from "./matmul-float";
import { productQ4 } from "./matmul-q4";
import { productQ8 } from "./matmul-q8";

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
  _scratch: usize,
): void {
  const width = rows == 1 ? 1 : TILE_TOKENS;
  for (let r = 0; r < rows; r++) {
    const slot = r % width;
    const tile = x + <usize>((r - slot) * xStride);
    for (let g = groupBegin; g < groupEnd; g++) {
      const out = dst + <usize>(r * dstStride + g * 64);
      const group = w + <usize>(g * groupBytes(type, columns));
      if (type == Q4_0 || type == Q4_1) productQ4(out, group, tile, columns, type == Q4_1 ? 1 : 0, width, slot);
      else if (type == Q8_0) productQ8(out, group, tile, columns, width, slot);
      else gemvFloatRef(out, group, x + <usize>(r * xStride), columns, type);
    }
  }
}
