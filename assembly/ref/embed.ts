import { BLOCK, GROUP_ROWS, Q4_0, Q4_1, Q8_0 } from "../layout";
import { setF32 } from "./scalar";
import { codeOf, floatOf, minimumOf, scaleOf, tileOf } from "./tiles";

export function embedRowRef(dst: usize, w: usize, type: i32, columns: i32, row: i32): void {
  const lane = row % GROUP_ROWS;
  for (let c = 0; c < columns; c++) {
    const tile = tileOf(w, type, columns, row, c);
    let value: f32;
    if (type == Q4_0) value = <f32>(codeOf(tile, type, lane, c % BLOCK) - 8) * scaleOf(tile, lane);
    else if (type == Q4_1)
      value = <f32>codeOf(tile, type, lane, c % BLOCK) * scaleOf(tile, lane) + minimumOf(tile, lane);
    else if (type == Q8_0) value = <f32>codeOf(tile, type, lane, c % BLOCK) * scaleOf(tile, lane);
    else value = floatOf(tile, type, lane);
    setF32(dst, c, value);
  }
}
