// The weight layout of ../../layout.ts, one element at a time.
import { GROUP_ROWS, groupBytes, groupScalesBytes, tileBytes, tileColumns, tileScalesBytes } from "../../layout";
import { F16, F32, Q8_0, WeightType } from "../../weight-types";
import { bf16, f16 } from "../scalar";

/** The tile of `row` and `column` in a matrix at `w`. */
export function tileOf(w: usize, type: WeightType, columns: i32, row: i32, column: i32): usize {
  const group = row / GROUP_ROWS;
  const scales = groupScalesBytes(type, columns);
  return w + <usize>(group * groupBytes(type, columns) + scales + (column / tileColumns(type)) * tileBytes(type));
}

/** Bytes of scales and minima before the codes of a tile. */
function headerBytes(type: WeightType): i32 {
  return type.scalesInTiles ? tileScalesBytes(type) : 0;
}

/** The byte that holds the code of `lane` (row in the group) and `column` (in the block). */
export function codeAddress(tile: usize, type: WeightType, lane: i32, column: i32): usize {
  const quad = lane / 4;
  const row = lane % 4;
  if (type.id == Q8_0) {
    const pair = (column / 4) * 2 + (column % 2);
    return tile + <usize>(headerBytes(type) + pair * 32 + quad * 8 + row * 2 + (column % 4) / 2);
  }
  return (
    tile + <usize>(headerBytes(type) + (column / 8) * (64 + 16 * type.planes) + quad * 16 + row * 4 + (column % 4))
  );
}

/** Whether the code of `column` is the high nibble of its byte. */
export function isHigh(column: i32): bool {
  return column % 8 >= 4;
}

/** -128..127 for Q8_0, else 0..15, 0..31 or 0..63. */
export function codeOf(tile: usize, type: WeightType, lane: i32, column: i32): i32 {
  const at = codeAddress(tile, type, lane, column);
  if (type.id == Q8_0) return <i32>load<i8>(at);
  const low = isHigh(column) ? <i32>load<u8>(at) / 16 : <i32>load<u8>(at) % 16;
  if (type.planes == 0) return low;
  const field = 1 << type.planes; // 2 or 4 values
  const bits = <i32>load<u8>(highAddress(tile, type, lane, column)) >> highShift(type, lane, column);
  return low + 16 * (bits % field);
}

/** The byte that holds the bits of a code above its nibble. */
export function highAddress(tile: usize, type: WeightType, lane: i32, column: i32): usize {
  const step = tile + <usize>((column / 8) * (64 + 16 * type.planes));
  const vector = (fieldOf(lane, column) * type.planes) / 8;
  return step + <usize>(64 + 16 * vector + (lane % 4) * 4 + (column % 4));
}

/** The position of these bits in that byte. */
export function highShift(type: WeightType, lane: i32, column: i32): i32 {
  return (fieldOf(lane, column) * type.planes) % 8;
}

/** The eight fields of a step: quad by quad, low nibbles before high ones. */
function fieldOf(lane: i32, column: i32): i32 {
  return 2 * (lane / 4) + (isHigh(column) ? 1 : 0);
}

export function scaleOf(tile: usize, lane: i32): f32 {
  return f16(load<u16>(tile + <usize>(2 * lane)));
}

/** The minimum of row `lane` in a tile of Q4_1. */
export function minimumOf(tile: usize, lane: i32): f32 {
  return f16(load<u16>(tile + <usize>(32 + 2 * lane)));
}

/** A weight of a float matrix; `tile` is its column. */
export function floatOf(tile: usize, type: WeightType, lane: i32): f32 {
  assert(type.isFloat);
  if (type.id == F32) return load<f32>(tile + <usize>(4 * lane));
  const bits = <u32>load<u16>(tile + <usize>(2 * lane));
  return type.id == F16 ? f16(bits) : bf16(bits);
}
