// The layout of quantised activations of ../layout.ts, one element at a time: a tile at `x` of `width` rows of `columns`.
import { META_BYTES } from "../layout";

/** The i8 digit of a column of row `slot`; `digit` is 0 for the first, 1 for the second. */
export function digitAt(x: usize, columns: i32, width: i32, slot: i32, column: i32, digit: i32): usize {
  const place = ((column / 4) * width + slot) * 4 + (column % 4);
  return x + <usize>(digit * columns * width + place);
}

/** The i16 code of a column. */
export function codeAt(x: usize, columns: i32, width: i32, slot: i32, column: i32): usize {
  const pair = (column / 4) * 2 + (column % 2);
  const place = (pair * width + slot) * 2 + (column % 4) / 2;
  return x + <usize>(2 * columns * width + 2 * place);
}

/** The facts of a block: scale, scale times sum and so on. */
export function metaAt(x: usize, columns: i32, width: i32, slot: i32, block: i32): usize {
  return x + <usize>(4 * columns * width + (block * width + slot) * META_BYTES);
}
