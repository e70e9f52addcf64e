import { BLOCK, GROUP_ROWS } from "../../layout";
import { weightType } from "../../weight-types";
import { getF32, setF32 } from "../scalar";
import { floatOf, tileOf } from "../weights/tiles";

export function matmulRowFloatRef(dst: usize, w: usize, x: usize, columns: i32, typeId: i32): void {
  const type = weightType(typeId);
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let begin = 0; begin < columns; begin += BLOCK) {
      let sum: f32 = 0;
      for (let c = begin; c < min(begin + BLOCK, columns); c++) {
        sum += floatOf(tileOf(w, type, columns, row, c), type, row) * getF32(x, c);
      }
      acc += sum;
    }
    setF32(dst, row, acc);
  }
}
