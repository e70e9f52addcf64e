import { GROUP_ROWS, groupBytes } from "../layout";
import { gemvFloatRef } from "./matmul-float";
import { getF32, setF32 } from "./scalar";

export function addLowRankRef(
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
  const bytes = groupBytes(aType, columns);
  for (let g = 0; g * GROUP_ROWS < rank; g++) gemvFloatRef(scratch + g * 64, a + g * bytes, x, columns, aType);
  const piece = scratch + ((rank + 15) / 16) * 64;
  for (let g = 0; g < groups; g++) {
    gemvFloatRef(piece, b + g * groupBytes(bType, rank), scratch, rank, bType);
    for (let i = 0; i < GROUP_ROWS; i++) {
      const at = g * GROUP_ROWS + i;
      setF32(dst, at, getF32(dst, at) + scale * getF32(piece, i));
    }
  }
}
