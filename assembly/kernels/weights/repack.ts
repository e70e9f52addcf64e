import { BLOCK, GROUP_ROWS, groupBytes, tileBytes, tileScalesBytes } from "../../layout";
import { BF16, F16, F32, Q8_0, WeightType, weightType } from "../../weight-types";
import { repackCodesRow } from "./repack-codes";

/**
 * Repacks rows from the order of a file (GGUF's blocks, row after row) into tiles.
 * The rows beyond `rows` up to the end of the last group become zero.
 * @param dst first group   @param src rows as in the file   @param rows at least 1; whole groups in all calls but the last
 * @returns 0, or 1 where a scale, minimum or weight is infinite or NaN (the kernels rely on finite weights)
 */
export function repack(dst: usize, src: usize, rows: i32, columns: i32, typeId: i32): i32 {
  assert(rows > 0, "repack: rows must be positive");
  const type = weightType(typeId);
  const rowBytes = <usize>((columns / <i32>type.blockColumns) * <i32>type.blockBytes);
  const bytes = <usize>groupBytes(type, columns);
  const groups = (rows + GROUP_ROWS - 1) / GROUP_ROWS;
  let bad = 0;
  for (let g = 0; g < groups; g++) {
    const group = dst + <usize>g * bytes;
    const present = min(GROUP_ROWS, rows - g * GROUP_ROWS);
    // The high bits of four rows share a byte: each row adds its own to what is there.
    if (present < GROUP_ROWS || type.bits == 5 || type.bits == 6) memory.fill(group, 0, bytes);
    for (let lane = 0; lane < present; lane++) {
      const row = src + <usize>(g * GROUP_ROWS + lane) * rowBytes;
      if (type.isFloat) bad |= repackFloatRow(group, row, columns, typeId, lane);
      else if (type.scalesInTiles) bad |= repackTilesRow(group, row, columns / BLOCK, type, lane);
      else bad |= repackCodesRow(group, row, columns, type, lane);
    }
  }
  return bad;
}

function repackFloatRow(group: usize, row: usize, columns: i32, type: i32, lane: i32): i32 {
  let bad = 0;
  for (let c = 0; c < columns; c++) {
    if (type == F32) {
      const bits = load<u32>(row + ((<usize>c) << 2));
      bad |= <i32>((bits & 0x7f800000) == 0x7f800000);
      store<u32>(group + <usize>(c * 64 + lane * 4), bits);
    } else {
      const bits = load<u16>(row + ((<usize>c) << 1));
      const exponent: u32 = type == BF16 ? 0x7f80 : 0x7c00;
      bad |= <i32>((bits & exponent) == exponent);
      store<u16>(group + <usize>(c * 32 + lane * 2), bits);
    }
  }
  return bad;
}

function repackTilesRow(group: usize, row: usize, blocks: i32, type: WeightType, lane: i32): i32 {
  const tile = <usize>tileBytes(type);
  const quad = <usize>(lane >> 2);
  const inQuad = <usize>(lane & 3);
  let bad = 0;
  for (let b = 0; b < blocks; b++) {
    const scale = load<u16>(row);
    bad |= <i32>((scale & 0x7c00) == 0x7c00);
    store<u16>(group + ((<usize>lane) << 1), scale);
    if (type.id == Q8_0) {
      const to = group + 32 + (quad << 3) + (inQuad << 1);
      for (let four: usize = 0; four < 8; four++) {
        const bytes = load<u32>(row + 2 + (four << 2)); // columns 0 to 3; pairs of columns are 0 2 and 1 3
        store<u16>(to + (four << 6), <u16>((bytes & 0xff) | ((bytes >> 8) & 0xff00)));
        store<u16>(to + (four << 6) + 32, <u16>(((bytes >> 8) & 0xff) | ((bytes >> 16) & 0xff00)));
      }
      row += 34;
    } else {
      if (type.minima) {
        const minimum = load<u16>(row, 2);
        bad |= <i32>((minimum & 0x7c00) == 0x7c00);
        store<u16>(group + 32 + ((<usize>lane) << 1), minimum);
      }
      // The file's byte j holds column j (low) and column j + 16 (high); a tile's holds columns c and c + 4.
      const from = row + (type.minima ? 4 : 2);
      const to = group + tileScalesBytes(type) + (quad << 4) + (inQuad << 2);
      for (let s: usize = 0; s < 2; s++) {
        const a = load<u32>(from + (s << 3));
        const z = load<u32>(from + (s << 3) + 4);
        store<u32>(to + (s << 6), (a & 0x0f0f0f0f) | ((z & 0x0f0f0f0f) << 4));
        store<u32>(to + ((s + 2) << 6), ((a >> 4) & 0x0f0f0f0f) | (z & 0xf0f0f0f0));
      }
      row = from + 16;
    }
    group += tile;
  }
  return bad;
}

/**
 * Converts a one-dimensional tensor (such as a norm's weights) to f32.
 * @returns 0, or 1 where a value is infinite or NaN
 */
export function widen(dst: usize, src: usize, count: i32, type: i32): i32 {
  assert(type == F32 || type == F16 || type == BF16, "widen: type must be F32, F16 or BF16");
  let bad = 0;
  for (let i = 0; i < count; i++) {
    let value: f32;
    if (type == F32) value = load<f32>(src + ((<usize>i) << 2));
    else {
      const bits = <u32>load<u16>(src + ((<usize>i) << 1));
      if (type == BF16) value = reinterpret<f32>(bits << 16);
      else if (type == F16 && (bits & 0x7c00) == 0x7c00) value = f32.NaN;
      else value = reinterpret<f32>(<u32>((<i32>(bits << 16) >> 3) & 0x8fffffff)) * reinterpret<f32>(0x77800000);
    }
    bad |= <i32>!isFinite<f32>(value);
    store<f32>(dst + ((<usize>i) << 2), value);
  }
  return bad;
}
