import { BLOCK, GROUP_ROWS, groupBytes } from "../../layout";
import { BF16, F16, F32, Q8_0, Scales, WeightType, weightType } from "../../weight-types";
import { bf16, f16, getF32, setF32 } from "../scalar";
import { codeOfBlock, smallMinimum, smallScale } from "./file-blocks";
import { f16Address, smallAddress } from "./scales";
import { codeAddress, highAddress, highShift, isHigh, tileOf } from "./tiles";

function isFiniteF16(bits: u32): bool {
  return (bits & 0x7c00) != 0x7c00;
}

export function repackRef(dst: usize, src: usize, rows: i32, columns: i32, typeId: i32): i32 {
  const type = weightType(typeId);
  const groups = (rows + GROUP_ROWS - 1) / GROUP_ROWS;
  memory.fill(dst, 0, <usize>(groups * groupBytes(type, columns)));
  let bad = 0;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      if (type.isFloat) bad |= repackFloat(dst, src, columns, type, row, c);
      else if (type.id == Q8_0) bad |= repackQ8(dst, src, columns, type, row, c);
      else if (type.scalesInTiles) bad |= repackQ4(dst, src, columns, type, row, c);
      else bad |= repackCodes(dst, src, columns, type, row, c);
    }
  }
  return bad;
}

/** GGUF: f16 scale, for Q4_1 f16 minimum, 16 bytes: byte j holds column j (low) and column j + 16 (high). */
function repackQ4(dst: usize, src: usize, columns: i32, type: WeightType, row: i32, column: i32): i32 {
  const header = type.minima ? 4 : 2;
  const block = src + <usize>((row * (columns / BLOCK) + column / BLOCK) * (header + 16));
  const tile = tileOf(dst, type, columns, row, column);
  const lane = row % GROUP_ROWS;
  const c = column % BLOCK;
  const byte = <u32>load<u8>(block + <usize>(header + (c % 16)));
  const code = c < 16 ? byte % 16 : byte / 16;
  const at = codeAddress(tile, type, lane, c);
  store<u8>(at, load<u8>(at) | <u8>(isHigh(c) ? code * 16 : code));
  const scale = <u32>load<u16>(block);
  store<u16>(tile + <usize>(2 * lane), <u16>scale);
  if (!type.minima) return isFiniteF16(scale) ? 0 : 1;
  const minimum = <u32>load<u16>(block, 2);
  store<u16>(tile + <usize>(32 + 2 * lane), <u16>minimum);
  return isFiniteF16(scale) && isFiniteF16(minimum) ? 0 : 1;
}

/** GGUF: f16 scale, 32 bytes. */
function repackQ8(dst: usize, src: usize, columns: i32, type: WeightType, row: i32, column: i32): i32 {
  const block = src + <usize>((row * (columns / BLOCK) + column / BLOCK) * 34);
  const tile = tileOf(dst, type, columns, row, column);
  const lane = row % GROUP_ROWS;
  const c = column % BLOCK;
  store<u8>(codeAddress(tile, type, lane, c), load<u8>(block + <usize>(2 + c)));
  store<u16>(tile + <usize>(2 * lane), load<u16>(block));
  return isFiniteF16(load<u16>(block)) ? 0 : 1;
}

/** Types whose scales go before a group's codes: one code, and the scales that it shares with others. */
function repackCodes(dst: usize, src: usize, columns: i32, type: WeightType, row: i32, column: i32): i32 {
  const per = <i32>type.blockColumns;
  const index = row * (columns / per) + column / per;
  const block = src + <usize>(index * <i32>type.blockBytes);
  const code = codeOfBlock(block, type.id, column % per);
  const lane = row % GROUP_ROWS;
  const c = column % BLOCK;
  const tile = tileOf(dst, type, columns, row, column);
  const at = codeAddress(tile, type, lane, c);
  store<u8>(at, load<u8>(at) | <u8>(isHigh(c) ? (code % 16) * 16 : code % 16));
  if (type.planes > 0) {
    const high = highAddress(tile, type, lane, c);
    store<u8>(high, load<u8>(high) | <u8>((code / 16) << highShift(type, lane, c)));
  }
  const group = dst + <usize>((row / GROUP_ROWS) * groupBytes(type, columns));
  if (type.scales == Scales.EXPONENT) {
    const exponent = <u32>load<u8>(block);
    store<u8>(group + <usize>((column / 32) * 16 + lane), <u8>exponent);
    return exponent > 252 ? 1 : 0;
  }
  let bad = 0;
  for (let kind = 0; kind < (type.minima ? 2 : 1); kind++) {
    const bits = <u32>load<u16>(block + <usize>(<i32>type.f16At + 2 * kind));
    store<u16>(f16Address(group, type, column / per, kind, lane), <u16>bits);
    if (!isFiniteF16(bits)) bad = 1;
    if (!type.hasSuperBlocks) continue;
    const s = (column % per) / <i32>type.columnsPerScale;
    const small = kind ? smallMinimum(block, type.id, s) : smallScale(block, type.id, s);
    store<i8>(smallAddress(group, type, column / per, s, kind, lane), <i8>small);
  }
  return bad;
}

function repackFloat(dst: usize, src: usize, columns: i32, type: WeightType, row: i32, column: i32): i32 {
  const tile = tileOf(dst, type, columns, row, column);
  const lane = row % GROUP_ROWS;
  const index = row * columns + column;
  if (type.id == F32) {
    store<u32>(tile + <usize>(4 * lane), load<u32>(src + <usize>(4 * index)));
    return isFinite<f32>(getF32(src, index)) ? 0 : 1;
  }
  const bits = <u32>load<u16>(src + <usize>(2 * index));
  store<u16>(tile + <usize>(2 * lane), <u16>bits);
  if (type.id == BF16) return isFinite<f32>(bf16(bits)) ? 0 : 1;
  return isFiniteF16(bits) ? 0 : 1;
}

export function widenRef(dst: usize, src: usize, count: i32, type: i32): i32 {
  let bad = 0;
  for (let i = 0; i < count; i++) {
    let value: f32;
    if (type == F32) value = getF32(src, i);
    else {
      const bits = <u32>load<u16>(src + <usize>(2 * i));
      if (type == F16) value = isFiniteF16(bits) ? f16(bits) : <f32>NaN;
      else value = bf16(bits);
    }
    if (!isFinite<f32>(value)) bad = 1;
    setF32(dst, i, value);
  }
  return bad;
}
