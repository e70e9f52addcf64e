import { BLOCK, TILE_TOKENS } from "../layout";
import { codeAt, metaAt } from "./activations";
import { byteIndex, scaleIndex, wordIndex } from "./panel";
import { getF32, setF32 } from "./scalar";

/** Whole codes take the place of the digits: 254 * first + second is the same integer. */
export function tileI8Ref(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  planes: i32,
  perScale: i32,
): void {
  tile(
    dst,
    dstStride,
    tokens,
    panel,
    scales,
    minima,
    x,
    columns,
    from,
    count,
    perScale,
    minima ? 0 : 8 << planes,
    true,
  );
}

export function tileI16Ref(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  perScale: i32,
): void {
  tile(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, perScale, 0, false);
}

/** Bytes are centred here by `zero`; words are in the panel. `perScale`: columns of a scale, 16 or 32. */
function tile(
  dst: usize,
  dstStride: usize,
  tokens: i32,
  panel: usize,
  scales: usize,
  minima: usize,
  x: usize,
  columns: i32,
  from: i32,
  count: i32,
  perScale: i32,
  zero: i32,
  bytes: bool,
): void {
  for (let t = 0; t < tokens; t++) {
    for (let row = 0; row < 8; row++) {
      let acc: f32 = from ? getF32(dst + <usize>t * dstStride, row) : 0;
      for (let block = 0; block < count / perScale; block++) {
        const begin = block * perScale;
        const d = getF32(metaAt(x, columns, TILE_TOKENS, t, (from + begin) / BLOCK), 0);
        let sum: i32 = 0;
        let codes: i32 = 0; // of x
        for (let c = begin; c < begin + perScale; c++) {
          const weight = bytes
            ? <i32>load<u8>(panel + <usize>byteIndex(row, c)) - zero
            : <i32>load<i16>(panel + <usize>(2 * wordIndex(row, c)));
          const code = <i32>load<i16>(codeAt(x, columns, TILE_TOKENS, t, from + c));
          sum += weight * code;
          codes += code;
        }
        acc += <f32>sum * (getF32(scales, scaleIndex(row, block)) * d);
        if (minima) acc += getF32(minima, scaleIndex(row, block)) * (d * <f32>codes);
      }
      setF32(dst + <usize>t * dstStride, row, acc);
    }
  }
}
