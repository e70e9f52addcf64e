import { levelsOf } from "../kernels/weights/levels";
import { BLOCK, GROUP_ROWS, groupBytes } from "../layout";
import { Q8_0, weightType } from "../weight-types";
import { setF32 } from "./scalar";
import { scaleAt } from "./weights/scales";
import { codeOf, floatOf, minimumOf, scaleOf, tileOf } from "./weights/tiles";

export function embedRowRef(dst: usize, w: usize, typeId: i32, columns: i32, row: i32): void {
  const type = weightType(typeId);
  const lane = row % GROUP_ROWS;
  const group = w + <usize>((row / GROUP_ROWS) * groupBytes(type, columns));
  for (let c = 0; c < columns; c++) {
    const tile = tileOf(w, type, columns, row, c);
    let value: f32;
    if (type.isFloat) value = floatOf(tile, type, lane);
    else {
      const code = codeOf(tile, type, lane, c % BLOCK);
      if (type.scalesInTiles) {
        const d = scaleOf(tile, lane);
        if (type.id == Q8_0) value = <f32>code * d;
        else if (type.minima) value = <f32>code * d + minimumOf(tile, lane);
        else value = <f32>(code - 8) * d;
      } else {
        const d = scaleAt(group, type, c, 0, lane);
        if (type.levels) value = d * <f32>load<i8>(levelsOf(type) + <usize>code);
        else if (type.minima) value = d * <f32>code + scaleAt(group, type, c, 1, lane);
        else value = d * <f32>(code - type.zeroCode);
      }
    }
    setF32(dst, c, value);
  }
}
