import { BLOCK, GROUP_ROWS } from "../../layout";
import { Q4_0, Q4_1, weightType } from "../../weight-types";
import { codeAt, metaAt } from "../activations";
import { getF32, setF32 } from "../scalar";
import { codeOf, minimumOf, scaleOf, tileOf } from "../weights/tiles";

export function matmulRowQ4Ref(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  rowQ4(dst, w, x, columns, minima, 1, 0);
}

/** A group times row `tileRow` of a tile of `width` rows. */
export function rowQ4(dst: usize, w: usize, x: usize, columns: i32, minima: i32, width: i32, tileRow: i32): void {
  const type = weightType(minima ? Q4_1 : Q4_0);
  const zero = minima ? 0 : 8;
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / BLOCK; block++) {
      const tile = tileOf(w, type, columns, row, block * BLOCK);
      const meta = metaAt(x, columns, width, tileRow, block);
      let sum: i32 = 0;
      for (let c = 0; c < BLOCK; c++) {
        const code = <i32>load<i16>(codeAt(x, columns, width, tileRow, block * BLOCK + c));
        sum += (codeOf(tile, type, row, c) - zero) * code;
      }
      acc += <f32>sum * (scaleOf(tile, row) * getF32(meta, 0));
      if (minima) acc += minimumOf(tile, row) * getF32(meta, 1);
    }
    setF32(dst, row, acc);
  }
}
