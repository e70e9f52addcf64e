import { levelsOf } from "../kernels/levels";
import {
  groupBytes,
  groupScalesBytes,
  hasLevels,
  hasMinima,
  isFloat,
  Q4_1,
  Q8_0,
  scaleColumns,
  scalesInTiles,
  TILE_TOKENS,
} from "../layout";
import { productCodes } from "./matmul-codes";
import { gemvFloatRef } from "./matmul-float";
import { productQ4 } from "./matmul-q4";
import { productQ8 } from "./matmul-q8";
import { unpackGroupScalesRef } from "./scales";

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
  scratch: usize,
): void {
  const width = rows == 1 ? 1 : TILE_TOKENS;
  for (let r = 0; r < rows; r++) {
    const slot = r % width;
    const tile = x + <usize>((r - slot) * xStride);
    for (let g = groupBegin; g < groupEnd; g++) {
      const out = dst + <usize>(r * dstStride + g * 64);
      const group = w + <usize>(g * groupBytes(type, columns));
      if (isFloat(type)) gemvFloatRef(out, group, x + <usize>(r * xStride), columns, type);
      else if (type == Q8_0) productQ8(out, group, tile, columns, width, slot);
      else if (scalesInTiles(type)) productQ4(out, group, tile, columns, type == Q4_1 ? 1 : 0, width, slot);
      else {
        const minima = scratch + <usize>((columns / scaleColumns(type)) * 64);
        unpackGroupScalesRef(scratch, minima, group, type, 0, columns);
        const w = group + <usize>groupScalesBytes(type, columns);
        const table = hasLevels(type) ? levelsOf(type) : 0;
        const m = hasMinima(type) ? minima : 0;
        productCodes(out, w, scratch, m, tile, columns, type, table, scaleColumns(type), width, slot);
      }
    }
  }
}
