import { levelsOf } from "../kernels/levels";
import {
  BLOCK,
  GROUP_ROWS,
  groupBytes,
  hasLevels,
  hasMinima,
  isFloat,
  Q4_0,
  Q8_0,
  scalesInTiles,
  zeroCode,
} from "../layout";
import { setF32 } from "./scalar";
import { scaleAt } from "./scales";
import { codeOf, floatOf, minimumOf, scaleOf, tileOf } from "./tiles";

export function embedRowRef(dst: usize, w: usize, type: i32, columns: i32, row: i32): void {
  const lane = row % GROUP_ROWS;
  const group = w + <usize>((row / GROUP_ROWS) * groupBytes(type, columns));
  for (let c = 0; c < columns; c++) {
    const tile = tileOf(w, type, columns, row, c);
    let value: f32;
    if (isFloat(type)) value = floatOf(tile, type, lane);
    else {
      const code = codeOf(tile, type, lane, c % BLOCK);
      if (scalesInTiles(type)) {
        const d = scaleOf(tile, lane);
        if (type == Q8_0) value = <f32>code * d;
        else if (type == Q4_0) value = <f32>(code - 8) * d;
        else value = <f32>code * d + minimumOf(tile, lane);
      } else {
        const d = scaleAt(group, type, c, 0, lane);
        if (hasLevels(type)) value = d * <f32>load<i8>(levelsOf(type) + <usize>code);
        else if (hasMinima(type)) value = d * <f32>code + scaleAt(group, type, c, 1, lane);
        else value = d * <f32>(code - zeroCode(type));
      }
    }
    setF32(dst, c, value);
  }
}
