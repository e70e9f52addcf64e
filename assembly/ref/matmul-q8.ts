import { BLOCK, GROUP_ROWS, META_BYTES, Q8_0 } from "../layout";
import { getF32, setF32 } from "./scalar";
import { codeOf, scaleOf, tileOf } from "./tiles";

export function gemvQ8Ref(dst: usize, w: usize, x: usize, columns: i32): void {
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / BLOCK; block++) {
      const tile = tileOf(w, Q8_0, columns, row, block * BLOCK);
      const meta = x + <usize>(4 * columns + block * META_BYTES);
      let sum: i32 = 0;
      for (let c = 0; c < BLOCK; c++) {
        sum += codeOf(tile, Q8_0, row, c) * <i32>load<i16>(x + <usize>(2 * (columns + block * BLOCK + c)));
      }
      acc += <f32>sum * (scaleOf(tile, row) * getF32(meta, 0));
    }
    setF32(dst, row, acc);
  }
}
