import { levelsOf } from "../../kernels/weights/levels";
import { groupBytes, groupScalesBytes, TILE_TOKENS } from "../../layout";
import { Matmul } from "../../operations";
import { Q8_0, weightType } from "../../weight-types";
import { unpackGroupScalesRef } from "../weights/scales";
import { rowCodes } from "./row-codes";
import { matmulRowFloatRef } from "./row-float";
import { rowQ4 } from "./row-q4";
import { rowQ8 } from "./row-q8";

/** Multiplies row by row and group by group. */
export function matmulRef(op: Matmul, rows: i32, groupBegin: i32, groupEnd: i32, scratch: usize): void {
  const type = weightType(op.type);
  const columns = op.columns;
  const width = rows == 1 ? 1 : TILE_TOKENS;
  for (let r = 0; r < rows; r++) {
    const tileRow = r % width;
    const tile = op.src + <usize>((r - tileRow) * op.srcStride);
    for (let g = groupBegin; g < groupEnd; g++) {
      const out = op.dst + <usize>(r * op.dstStride + g * 64);
      const group = op.weights + <usize>(g * groupBytes(type, columns));
      if (type.isFloat) matmulRowFloatRef(out, group, op.src + <usize>(r * op.srcStride), columns, op.type);
      else if (type.id == Q8_0) rowQ8(out, group, tile, columns, width, tileRow);
      else if (type.scalesInTiles) rowQ4(out, group, tile, columns, type.minima, width, tileRow);
      else {
        const perScale = <i32>type.columnsPerScale;
        const rest = scratch + <usize>((columns / perScale) * 64);
        unpackGroupScalesRef(scratch, rest, group, type, 0, columns);
        const w = group + <usize>groupScalesBytes(type, columns);
        const minima = type.minima ? rest : 0;
        const table = type.levels ? levelsOf(type) : 0;
        rowCodes(out, w, scratch, minima, tile, columns, type, table, width, tileRow);
      }
    }
  }
}
