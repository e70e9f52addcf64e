// The layout of quantised activations (../activations.ts), one element at a time, in a tile at `x` of `width` rows.
import { META_BYTES } from "../activations";

/** The i8 digit of a column of row `tileRow`; `digit` is 0 for the first, 1 for the second. */
export function digitAt(x: usize, columns: i32, width: i32, tileRow: i32, column: i32, digit: i32): usize {
  const place = ((column / 4) * width + tileRow) * 4 + (column % 4);
  return x + <usize>(digit * columns * width + place);
}

/** The i16 code of a column of row `tileRow`. */
export function codeAt(x: usize, columns: i32, width: i32, tileRow: i32, column: i32): usize {
  const pair = (column / 4) * 2 + (column % 2);
  const place = (pair * width + tileRow) * 2 + (column % 4) / 2;
  return x + <usize>(2 * columns * width + 2 * place);
}

/** The BlockMeta of a block. */
export function metaAt(x: usize, columns: i32, width: i32, tileRow: i32, block: i32): usize {
  return x + <usize>(4 * columns * width + (block * width + tileRow) * META_BYTES);
}
