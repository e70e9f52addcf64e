import { loadBF16, loadF16 } from "../lanes";
import {
  BLOCK,
  F16,
  F32,
  GROUP_ROWS,
  groupBytes,
  groupScalesBytes,
  hasLevels,
  hasMinima,
  isFloat,
  planes,
  Q4_0,
  Q4_1,
  Q8_0,
  scaleColumns,
  scalesInTiles,
  tileBytes,
  zeroCode,
} from "../layout";
import { levelsOf } from "./levels";
import { groupMinimum, groupScale } from "./scales";

/**
 * Row `row` of a tiled matrix as f32: dst[0..columns). The embedding table is the LM head's matrix, tiled for products.
 * Values are GGML's dequantisation: (code - zero) d, code d + m, code d, level d.
 */
export function embedRow(dst: usize, w: usize, type: i32, columns: i32, row: i32): void {
  assert(row >= 0, "embedRow: row must not be negative");
  const lane = row % GROUP_ROWS;
  let tile = w + <usize>(row / GROUP_ROWS) * <usize>groupBytes(type, columns);
  if (!isFloat(type) && !scalesInTiles(type)) {
    embedCodes(dst, tile, type, columns, lane);
    return;
  }
  const quad = lane >> 2;
  const inQuad = lane & 3;
  const bytes = tileBytes(type);
  if (isFloat(type)) {
    for (let c = 0; c < columns; c++) {
      const at = tile + <usize>(c * bytes);
      const value =
        type == F32
          ? load<f32>(at + ((<usize>lane) << 2))
          : type == F16
            ? loadF16(at + ((<usize>lane) << 1))
            : loadBF16(at + ((<usize>lane) << 1));
      store<f32>(dst + ((<usize>c) << 2), value);
    }
    return;
  }
  for (let block = 0; block < columns / BLOCK; block++) {
    const d = loadF16(tile + ((<usize>lane) << 1));
    const m = type == Q4_1 ? loadF16(tile + 32 + ((<usize>lane) << 1)) : <f32>0;
    const codes = tile + (type == Q4_1 ? 64 : 32);
    for (let c = 0; c < BLOCK; c++) {
      let value: f32;
      if (type == Q8_0) {
        value =
          <f32>(
            load<i8>(codes + <usize>(((c >> 2) << 6) + ((c & 1) << 5) + (quad << 3) + (inQuad << 1) + ((c >> 1) & 1)))
          ) * d;
      } else {
        const byte = load<u8>(codes + <usize>(((c >> 3) << 6) + (quad << 4) + (inQuad << 2) + (c & 3)));
        const code = <i32>(c & 4 ? byte >> 4 : byte & 15);
        value = type == Q4_0 ? <f32>(code - 8) * d : <f32>code * d + m;
      }
      store<f32>(dst + ((<usize>(block * BLOCK + c)) << 2), value);
    }
    tile += bytes;
  }
}

/** Row `lane` of a group whose scales go before its codes. */
function embedCodes(dst: usize, group: usize, type: i32, columns: i32, lane: i32): void {
  const codes = group + <usize>groupScalesBytes(type, columns);
  const levels = levelsOf(type);
  const zero = zeroCode(type);
  for (let begin = 0; begin < columns; begin += scaleColumns(type)) {
    const block = begin / scaleColumns(type);
    const d = groupScale(group, type, block, lane);
    const m: f32 = hasMinima(type) ? groupMinimum(group, type, block, lane) : 0;
    for (let c = begin; c < begin + scaleColumns(type); c++) {
      const code = codeAt(codes, planes(type), lane, c);
      let value: f32;
      if (hasMinima(type)) value = <f32>code * d + m;
      else value = d * <f32>(hasLevels(type) ? <i32>load<i8>(levels + <usize>code) : code - zero);
      store<f32>(dst + ((<usize>c) << 2), value);
    }
  }
}

/** The code of row `lane` and `column` of a group (layout.ts, tileBytes). */
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
