// The panel of kernels/matmul/panel.ts, one element at a time.
import { BLOCK, GROUP_ROWS, tileBytes } from "../../layout";
import { Q4_0, Q4_1, Q8_0, WeightType, weightType } from "../../weight-types";
import { setF32 } from "../scalar";
import { codeOf, minimumOf, scaleOf, tileOf } from "../weights/tiles";
import { typeOfPlanes } from "./row-codes";

/** Index of a code in an i8 panel. */
export function indexI8(row: i32, column: i32): i32 {
  return ((column / 4) * GROUP_ROWS + row) * 4 + (column % 4);
}

/** Index of a code in an i16 panel. */
export function indexI16(row: i32, column: i32): i32 {
  const pair = (column / 4) * 2 + (column % 2);
  return (pair * GROUP_ROWS + row) * 2 + (column % 4) / 2;
}

/** Index of a scale. */
export function scaleIndex(row: i32, block: i32): i32 {
  return block * GROUP_ROWS + row;
}

function unpackScales(scales: usize, w: usize, columns: i32, type: WeightType): void {
  const blocks = columns / BLOCK;
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let block = 0; block < blocks; block++) {
      const index = scaleIndex(row, block);
      const tile = tileOf(w, type, columns, row, block * BLOCK);
      setF32(scales, index, scaleOf(tile, row));
      if (type.minima) setF32(scales, GROUP_ROWS * blocks + index, minimumOf(tile, row));
    }
  }
}

/** The code of `row` and `column` of a group. */
function codeIn(w: usize, columns: i32, type: WeightType, row: i32, column: i32): i32 {
  return codeOf(tileOf(w, type, columns, row, column), type, row, column % BLOCK);
}

export function unpackQ4I8Ref(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const type = weightType(minima ? Q4_1 : Q4_0);
  unpackScales(scales, w, columns, type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = indexI8(row, c);
      store<u8>(panel + <usize>index, <u8>codeIn(w, columns, type, row, c));
    }
  }
}

function unpackI16(panel: usize, scales: usize, w: usize, columns: i32, type: WeightType, zero: i32): void {
  unpackScales(scales, w, columns, type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = indexI16(row, c);
      store<i16>(panel + <usize>(2 * index), <i16>(codeIn(w, columns, type, row, c) - zero));
    }
  }
}

export function unpackQ4I16Ref(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  if (minima) unpackI16(panel, scales, w, columns, weightType(Q4_1), 0);
  else unpackI16(panel, scales, w, columns, weightType(Q4_0), 8);
}

export function unpackQ8I16Ref(panel: usize, scales: usize, w: usize, columns: i32): void {
  unpackI16(panel, scales, w, columns, weightType(Q8_0), 0);
}

/** The code of `row` and `column` in tiles without scales. */
function codeWithout(w: usize, planes: i32, row: i32, column: i32): i32 {
  const type = typeOfPlanes(planes);
  return codeOf(w + <usize>((column / BLOCK) * tileBytes(type)), type, row, column % BLOCK);
}

export function unpackCodesI8Ref(panel: usize, w: usize, columns: i32, planes: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = indexI8(row, c);
      store<u8>(panel + <usize>index, <u8>codeWithout(w, planes, row, c));
    }
  }
}

export function unpackCodesI16Ref(panel: usize, w: usize, columns: i32, planes: i32, zero: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = indexI16(row, c);
      store<i16>(panel + <usize>(2 * index), <i16>(codeWithout(w, planes, row, c) - zero));
    }
  }
}

export function unpackLevelsI16Ref(panel: usize, w: usize, columns: i32, table: usize): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = indexI16(row, c);
      const level = load<i8>(table + <usize>codeWithout(w, 0, row, c));
      store<i16>(panel + <usize>(2 * index), <i16>level);
    }
  }
}
