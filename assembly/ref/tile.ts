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
): void {
  tile(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, true);
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
): void {
  tile(dst, dstStride, tokens, panel, scales, minima, x, columns, from, count, false);
}

/** Bytes are 0..15, centred here where there are no minima; words are centred in the panel. */
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
  bytes: bool,
): void {
  for (let t = 0; t < tokens; t++) {
    for (let row = 0; row < 8; row++) {
      let acc: f32 = from ? getF32(dst + <usize>t * dstStride, row) : 0;
      for (let block = 0; block < count / BLOCK; block++) {
        const meta = metaAt(x, columns, TILE_TOKENS, t, from / BLOCK + block);
        let sum: i32 = 0;
        for (let c = block * BLOCK; c < (block + 1) * BLOCK; c++) {
          let weight: i32;
          if (bytes) weight = <i32>load<u8>(panel + <usize>byteIndex(row, c)) - (minima ? 0 : 8);
          else weight = <i32>load<i16>(panel + <usize>(2 * wordIndex(row, c)));
          sum += weight * <i32>load<i16>(codeAt(x, columns, TILE_TOKENS, t, from + c));
        }
        acc += <f32>sum * (getF32(scales, scaleIndex(row, block)) * getF32(meta, 0));
        if (minima) acc += getF32(minima, scaleIndex(row, block)) * getF32(meta, 1);
      }
      setF32(dst + <usize>t * dstStride, row, acc);
    }
  }
}
