import { BLOCK, GROUP_ROWS, Q8_0 } from "../layout";
import { codeAt, metaAt } from "./activations";
import { getF32, setF32 } from "./scalar";
import { codeOf, scaleOf, tileOf } from "./tiles";

export function gemvQ8Ref(dst: usize, w: usize, x: usize, columns: i32): void {
  productQ8(dst, w, x, columns, 1, 0);
}

/** A group times row `slot` of a tile of `width` rows. */
export function productQ8(dst: usize, w: usize, x: usize, columns: i32, width: i32, slot: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / BLOCK; block++) {
      const tile = tileOf(w, Q8_0, columns, row, block * BLOCK);
      let sum: i32 = 0;
      for (let c = 0; c < BLOCK; c++) {
        const code = <i32>load<i16>(codeAt(x, columns, width, slot, block * BLOCK + c));
        sum += codeOf(tile, Q8_0, row, c) * code;
      }
      acc += <f32>sum * (scaleOf(tile, row) * getF32(metaAt(x, columns, width, slot, block), 0));
    }
    setF32(dst, row, acc);
  }
}
