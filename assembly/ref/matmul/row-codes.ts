import { BLOCK, GROUP_ROWS, tileBytes } from "../../layout";
import { IQ4_NL, Q4_K, Q5_K, Q6_K, WeightType, weightType } from "../../weight-types";
import { codeAt, metaAt } from "../activations";
import { getF32, setF32 } from "../scalar";
import { codeOf } from "../weights/tiles";

/** A type whose tiles have codes with this number of planes, and no scales. */
export function typeOfPlanes(planes: i32): WeightType {
  return weightType(planes == 0 ? Q4_K : planes == 1 ? Q5_K : Q6_K);
}

export function matmulRowCodesRef(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  type: WeightType,
): void {
  rowCodes(dst, w, scales, minima, x, columns, type, 0, 1, 0);
}

export function matmulRowLevelsRef(dst: usize, w: usize, scales: usize, x: usize, columns: i32, table: usize): void {
  rowCodes(dst, w, scales, 0, x, columns, weightType(IQ4_NL), table, 1, 0);
}

/** Sum of codes of 16 or 32 columns of an activation row, times its scale: rounded once, as the quantiser does. */
function scaledSum(x: usize, columns: i32, width: i32, tileRow: i32, begin: i32, count: i32): f32 {
  let sum: i32 = 0;
  for (let c = begin; c < begin + count; c++) sum += <i32>load<i16>(codeAt(x, columns, width, tileRow, c));
  return getF32(metaAt(x, columns, width, tileRow, begin / BLOCK), 0) * <f32>sum;
}

/** A group, its codes at `w`, times row `tileRow` of a tile of `width` rows. `table`: sixteen levels, or 0. */
export function rowCodes(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  type: WeightType,
  table: usize,
  width: i32,
  tileRow: i32,
): void {
  const columnsPerScale = <i32>type.columnsPerScale;
  const zero = minima ? 0 : type.zeroCode;
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / columnsPerScale; block++) {
      let sum: i32 = 0;
      for (let c = block * columnsPerScale; c < (block + 1) * columnsPerScale; c++) {
        const code = codeOf(w + <usize>((c / BLOCK) * tileBytes(type)), type, row, c % BLOCK);
        const weight = table ? <i32>load<i8>(table + <usize>code) : code - zero;
        sum += weight * <i32>load<i16>(codeAt(x, columns, width, tileRow, c));
      }
      const d = getF32(metaAt(x, columns, width, tileRow, (block * columnsPerScale) / BLOCK), 0);
      acc += <f32>sum * (getF32(scales, block * GROUP_ROWS + row) * d);
      if (minima) {
        const scaled = scaledSum(x, columns, width, tileRow, block * columnsPerScale, columnsPerScale);
        acc += getF32(minima, block * GROUP_ROWS + row) * scaled;
      }
    }
    setF32(dst, row, acc);
  }
}
