// The scales before a group's codes (../layout.ts, groupScalesBytes), one element at a time.
import { GROUP_ROWS, hasMinima, hasSuperBlocks, MXFP4, scaleColumns } from "../layout";
import { f16, setF32 } from "./scalar";

/** Bytes of a block's scales, f16 or small, of all rows; a block of 256 has several small ones. */
export function scalesOfBlock(type: i32): i32 {
  if (type == MXFP4) return 16;
  const kinds = hasMinima(type) ? 2 : 1;
  if (!hasSuperBlocks(type)) return 32 * kinds;
  return (32 + (256 / scaleColumns(type)) * 16) * kinds;
}

/** Address of the f16 of `lane` for block `block`; `kind` 0: of scales, 1: of minima. */
export function halfAddress(group: usize, type: i32, block: i32, kind: i32, lane: i32): usize {
  return group + <usize>(block * scalesOfBlock(type) + 32 * kind + 2 * lane);
}

/** Address of small scale (or minimum) `s` of `lane` in a block of 256. */
export function smallAddress(group: usize, type: i32, block: i32, s: i32, kind: i32, lane: i32): usize {
  const kinds = hasMinima(type) ? 2 : 1;
  return group + <usize>(block * scalesOfBlock(type) + 32 * kinds + (s * kinds + kind) * 16 + lane);
}

/** Kind 0: what a code is multiplied by; kind 1: what is added to the product. `column`: any of those that share it. */
export function scaleAt(group: usize, type: i32, column: i32, kind: i32, lane: i32): f32 {
  if (type == MXFP4) return powerOfTwo(<i32>load<u8>(group + <usize>((column / 32) * 16 + lane)) - 128);
  if (!hasSuperBlocks(type)) return f16(load<u16>(halfAddress(group, type, column / 32, kind, lane)));
  const s = (column % 256) / scaleColumns(type);
  const small = <f32>load<i8>(smallAddress(group, type, column / 256, s, kind, lane));
  const product = f16(load<u16>(halfAddress(group, type, column / 256, kind, lane))) * small;
  return kind ? -product : product;
}

function powerOfTwo(exponent: i32): f32 {
  let value: f32 = 1;
  for (let e = 0; e < exponent; e++) value *= 2;
  for (let e = 0; e > exponent; e--) value /= 2;
  return value;
}

export function unpackGroupScalesRef(
  scales: usize,
  minima: usize,
  group: usize,
  type: i32,
  from: i32,
  count: i32,
): void {
  const blocks = count / scaleColumns(type);
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let block = 0; block < blocks; block++) {
      const index = (row / 8) * 8 * blocks + block * 8 + (row % 8);
      const column = from + block * scaleColumns(type);
      setF32(scales, index, scaleAt(group, type, column, 0, row));
      if (hasMinima(type)) setF32(minima, index, scaleAt(group, type, column, 1, row));
    }
  }
}
