// The panel of ../kernels/panel.ts, one element at a time.
import { BLOCK, GROUP_ROWS, Q4_0, Q4_1, Q4_K, Q5_K, Q6_K, Q8_0, tileBytes } from "../layout";
import { setF32 } from "./scalar";
import { codeOf, minimumOf, scaleOf, tileOf } from "./tiles";

/** Index of a code in half a panel of bytes; `row` in 0..7. */
export function byteIndex(row: i32, column: i32): i32 {
  return (((column / 4) * 2 + row / 4) * 4 + (row % 4)) * 4 + (column % 4);
}

/** Index of a code in half a panel of words. */
export function wordIndex(row: i32, column: i32): i32 {
  const pair = (column / 4) * 2 + (column % 2);
  return ((pair * 2 + row / 4) * 4 + (row % 4)) * 2 + (column % 4) / 2;
}

/** Index of a scale in half of the scales. */
export function scaleIndex(row: i32, block: i32): i32 {
  return block * 8 + row;
}

function unpackScales(scales: usize, w: usize, columns: i32, type: i32): void {
  const blocks = columns / BLOCK;
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let block = 0; block < blocks; block++) {
      const index = (row / 8) * 8 * blocks + scaleIndex(row % 8, block);
      const tile = tileOf(w, type, columns, row, block * BLOCK);
      setF32(scales, index, scaleOf(tile, row));
      if (type == Q4_1) setF32(scales, GROUP_ROWS * blocks + index, minimumOf(tile, row));
    }
  }
}

/** The code of `row` and `column` of a group. */
function codeIn(w: usize, columns: i32, type: i32, row: i32, column: i32): i32 {
  return codeOf(tileOf(w, type, columns, row, column), type, row, column % BLOCK);
}

export function unpackQ4BytesRef(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const type = minima ? Q4_1 : Q4_0;
  unpackScales(scales, w, columns, type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = (row / 8) * 8 * columns + byteIndex(row % 8, c);
      store<u8>(panel + <usize>index, <u8>codeIn(w, columns, type, row, c));
    }
  }
}

function unpackWords(panel: usize, scales: usize, w: usize, columns: i32, type: i32, zero: i32): void {
  unpackScales(scales, w, columns, type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = (row / 8) * 8 * columns + wordIndex(row % 8, c);
      store<i16>(panel + <usize>(2 * index), <i16>(codeIn(w, columns, type, row, c) - zero));
    }
  }
}

export function unpackQ4WordsRef(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  if (minima) unpackWords(panel, scales, w, columns, Q4_1, 0);
  else unpackWords(panel, scales, w, columns, Q4_0, 8);
}

export function unpackQ8WordsRef(panel: usize, scales: usize, w: usize, columns: i32): void {
  unpackWords(panel, scales, w, columns, Q8_0, 0);
}

/** A code of tiles without scales. */
function codeWithout(w: usize, planes: i32, row: i32, column: i32): i32 {
  const type = planes == 0 ? Q4_K : planes == 1 ? Q5_K : Q6_K;
  return codeOf(w + <usize>((column / BLOCK) * tileBytes(type)), type, row, column % BLOCK);
}

export function unpackCodesBytesRef(panel: usize, w: usize, columns: i32, planes: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = (row / 8) * 8 * columns + byteIndex(row % 8, c);
      store<u8>(panel + <usize>index, <u8>codeWithout(w, planes, row, c));
    }
  }
}

export function unpackCodesWordsRef(panel: usize, w: usize, columns: i32, planes: i32, zero: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = (row / 8) * 8 * columns + wordIndex(row % 8, c);
      store<i16>(panel + <usize>(2 * index), <i16>(codeWithout(w, planes, row, c) - zero));
    }
  }
}

export function unpackLevelsWordsRef(panel: usize, w: usize, columns: i32, table: usize): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let c = 0; c < columns; c++) {
      const index = (row / 8) * 8 * columns + wordIndex(row % 8, c);
      const level = load<i8>(table + <usize>codeWithout(w, 0, row, c));
      store<i16>(panel + <usize>(2 * index), <i16>level);
    }
  }
}
