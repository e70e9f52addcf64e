import { BLOCK, GROUP_ROWS } from "../../layout";
import { Q8_0, weightType } from "../../weight-types";
import { codeAt, metaAt } from "../activations";
import { getF32, setF32 } from "../scalar";
import { codeOf, scaleOf, tileOf } from "../weights/tiles";

export function matmulRowQ8Ref(dst: usize, w: usize, x: usize, columns: i32): void {
  rowQ8(dst, w, x, columns, 1, 0);
}

/** A group times row `tileRow` of a tile of `width` rows. */
export function rowQ8(dst: usize, w: usize, x: usize, columns: i32, width: i32, tileRow: i32): void {
  const type = weightType(Q8_0);
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / BLOCK; block++) {
      const tile = tileOf(w, type, columns, row, block * BLOCK);
      let sum: i32 = 0;
      for (let c = 0; c < BLOCK; c++) {
        const code = <i32>load<i16>(codeAt(x, columns, width, tileRow, block * BLOCK + c));
        sum += codeOf(tile, type, row, c) * code;
      }
      acc += <f32>sum * (scaleOf(tile, row) * getF32(metaAt(x, columns, width, tileRow, block), 0));
    }
    setF32(dst, row, acc);
  }
}
