import { BLOCK, GROUP_ROWS, META_BYTES, Q4_0, Q4_1 } from "../layout";
import { getF32, setF32 } from "./scalar";
import { codeOf, minimumOf, scaleOf, tileOf } from "./tiles";

export function gemvQ4Ref(dst: usize, w: usize, x: usize, columns: i32, minima: i32): void {
  const type = minima ? Q4_1 : Q4_0;
  const zero = minima ? 0 : 8;
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / BLOCK; block++) {
      const tile = tileOf(w, type, columns, row, block * BLOCK);
      const meta = x + <usize>(4 * columns + block * META_BYTES);
      let sum: i32 = 0;
      for (let c = 0; c < BLOCK; c++) {
        sum += (codeOf(tile, type, row, c) - zero) * <i32>load<i16>(x + <usize>(2 * (columns + block * BLOCK + c)));
      }
      acc += <f32>sum * (scaleOf(tile, row) * getF32(meta, 0));
      if (minima) acc += minimumOf(tile, row) * getF32(meta, 1);
    }
    setF32(dst, row, acc);
  }
}
