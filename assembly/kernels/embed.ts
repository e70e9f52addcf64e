import { loadBF16, loadF16 } from "../lanes";
import { BLOCK, GROUP_ROWS, groupBytes, groupScalesBytes, tileBytes, tileScalesBytes } from "../layout";
import { F16, F32, Q8_0, WeightType, weightType } from "../weight-types";
import { levelsOf } from "./weights/levels";
import { groupMinimum, groupScale } from "./weights/scales";

/**
 * Row `row` of a tiled matrix as f32: dst[0..columns). The embedding table may also be the LM head's matrix, so it is
 * tiled for matmuls. The values are GGML's dequantisation: (code - zero) * d, code * d + m, or level * d.
 */
export function embedRow(dst: usize, w: usize, typeId: i32, columns: i32, row: i32): void {
  assert(row >= 0, "embedRow: row must not be negative");
  const type = weightType(typeId);
  const lane = row % GROUP_ROWS;
  const group = w + <usize>(row / GROUP_ROWS) * <usize>groupBytes(type, columns);
  if (type.isFloat) embedFloats(dst, group, typeId, columns, lane);
  else if (type.scalesInTiles) embedTiles(dst, group, type, columns, lane);
  else embedCodes(dst, group, type, columns, lane);
}

/** Writes row `lane` of a group of F32, F16 or BF16. */
function embedFloats(dst: usize, tile: usize, typeId: i32, columns: i32, lane: i32): void {
  const step: usize = typeId == F32 ? 64 : 32;
  let at = tile + ((<usize>lane) << (typeId == F32 ? 2 : 1));
  for (let c = 0; c < columns; c++) {
    const value = typeId == F32 ? load<f32>(at) : typeId == F16 ? loadF16(at) : loadBF16(at);
    store<f32>(dst + ((<usize>c) << 2), value);
    at += step;
  }
}

/** Writes row `lane` of a group whose tiles begin with their scales. */
function embedTiles(dst: usize, tile: usize, type: WeightType, columns: i32, lane: i32): void {
  const quad = lane >> 2;
  const inQuad = lane & 3;
  for (let block = 0; block < columns / BLOCK; block++) {
    const d = loadF16(tile + ((<usize>lane) << 1));
    const m = type.minima ? loadF16(tile + 32 + ((<usize>lane) << 1)) : <f32>0;
    const codes = tile + tileScalesBytes(type);
    for (let c = 0; c < BLOCK; c++) {
      let value: f32;
      if (type.id == Q8_0) {
        const at = ((c >> 2) << 6) + ((c & 1) << 5) + (quad << 3) + (inQuad << 1) + ((c >> 1) & 1);
        value = <f32>load<i8>(codes + <usize>at) * d;
      } else {
        const code = codeAt(codes, 0, lane, c);
        value = type.minima ? <f32>code * d + m : <f32>(code - 8) * d;
      }
      store<f32>(dst + ((<usize>(block * BLOCK + c)) << 2), value);
    }
    tile += tileBytes(type);
  }
}

/** Writes row `lane` of a group whose scales lie before its codes. */
function embedCodes(dst: usize, group: usize, type: WeightType, columns: i32, lane: i32): void {
  const codes = group + <usize>groupScalesBytes(type, columns);
  const levels = levelsOf(type);
  const perScale = <i32>type.columnsPerScale;
  for (let begin = 0; begin < columns; begin += perScale) {
    const d = groupScale(group, type, begin / perScale, lane);
    const m: f32 = type.minima ? groupMinimum(group, type, begin / perScale, lane) : 0;
    for (let c = begin; c < begin + perScale; c++) {
      const code = codeAt(codes, type.planes, lane, c);
      let value: f32;
      if (type.minima) value = <f32>code * d + m;
      else value = d * <f32>(type.levels ? <i32>load<i8>(levels + <usize>code) : code - type.zeroCode);
      store<f32>(dst + ((<usize>c) << 2), value);
    }
  }
}

/** The code of 4 to 6 bits of row `lane` and column `column` of a group, or of a tile (layout.ts, tileBytes). */
function codeAt(codes: usize, planes: i32, lane: i32, column: i32): i32 {
  const step = codes + <usize>((column >> 3) * (64 + 16 * planes));
  const byte = <usize>(((lane & 3) << 2) + (column & 3));
  const high = (column >> 2) & 1;
  const low = (<i32>load<u8>(step + ((<usize>(lane >> 2)) << 4) + byte) >> (high << 2)) & 15;
  if (!planes) return low;
  const bit = (2 * (lane >> 2) + high) * planes;
  const field = <i32>load<u8>(step + 64 + ((<usize>(bit >> 3)) << 4) + byte) >> (bit & 7);
  return low | ((field & ((1 << planes) - 1)) << 4);
}
