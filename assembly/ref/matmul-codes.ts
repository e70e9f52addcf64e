import { BLOCK, GROUP_ROWS, IQ4_NL, Q4_K, Q5_K, Q6_K, tileBytes, zeroCode } from "../layout";
import { codeAt, metaAt } from "./activations";
import { getF32, setF32 } from "./scalar";
import { codeOf } from "./tiles";

export function gemvCodesRef(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  planes: i32,
  perScale: i32,
): void {
  const type = planes == 0 ? Q4_K : planes == 1 ? Q5_K : Q6_K;
  productCodes(dst, w, scales, minima, x, columns, type, 0, perScale, 1, 0);
}

export function gemvLevelsRef(dst: usize, w: usize, scales: usize, x: usize, columns: i32, table: usize): void {
  productCodes(dst, w, scales, 0, x, columns, IQ4_NL, table, BLOCK, 1, 0);
}

/** Scales in the order of ../kernels/scales.ts. */
function scaleIn(scales: usize, columns: i32, perScale: i32, row: i32, block: i32): f32 {
  return getF32(scales, (row / 8) * 8 * (columns / perScale) + block * 8 + (row % 8));
}

/** Sum of codes of 16 or 32 columns of an activation row, times its scale: rounded once, as the quantiser does. */
function scaledSum(x: usize, columns: i32, width: i32, slot: i32, begin: i32, count: i32): f32 {
  let sum: i32 = 0;
  for (let c = begin; c < begin + count; c++) sum += <i32>load<i16>(codeAt(x, columns, width, slot, c));
  return getF32(metaAt(x, columns, width, slot, begin / BLOCK), 0) * <f32>sum;
}

/** A group, its codes at `w`, times row `slot` of a tile of `width` rows. `table`: of levels, or 0. */
export function productCodes(
  dst: usize,
  w: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  type: i32,
  table: usize,
  perScale: i32,
  width: i32,
  slot: i32,
): void {
  const zero = minima ? 0 : zeroCode(type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    let acc: f32 = 0;
    for (let block = 0; block < columns / perScale; block++) {
      let sum: i32 = 0;
      for (let c = block * perScale; c < (block + 1) * perScale; c++) {
        const code = codeOf(w + <usize>((c / BLOCK) * tileBytes(type)), type, row, c % BLOCK);
        const weight = table ? <i32>load<i8>(table + <usize>code) : code - zero;
        sum += weight * <i32>load<i16>(codeAt(x, columns, width, slot, c));
      }
      const d = getF32(metaAt(x, columns, width, slot, (block * perScale) / BLOCK), 0);
      acc += <f32>sum * (scaleIn(scales, columns, perScale, row, block) * d);
      if (minima) {
        const scaled = scaledSum(x, columns, width, slot, block * perScale, perScale);
        acc += scaleIn(minima, columns, perScale, row, block) * scaled;
      }
    }
    setF32(dst, row, acc);
  }
}
