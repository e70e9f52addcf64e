// The scales before the codes of a group (../../layout.ts, groupScalesBytes), one element at a time.
import { GROUP_ROWS } from "../../layout";
import { Scales, WeightType } from "../../weight-types";
import { f16, setF32 } from "../scalar";

/** Bytes of a block's scales, f16 or small, of all rows; a super-block has several small ones. */
export function scalesOfBlock(type: WeightType): i32 {
  if (type.scales == Scales.EXPONENT) return 16;
  const kinds = type.minima ? 2 : 1;
  if (!type.hasSuperBlocks) return 32 * kinds;
  return (32 + (256 / <i32>type.columnsPerScale) * 16) * kinds;
}

/** Address of the f16 of `lane` for block `block`; `kind` 0: of scales, 1: of minima. */
export function f16Address(group: usize, type: WeightType, block: i32, kind: i32, lane: i32): usize {
  return group + <usize>(block * scalesOfBlock(type) + 32 * kind + 2 * lane);
}

/** Address of small scale (or minimum) `s` of `lane` in a super-block. */
export function smallAddress(group: usize, type: WeightType, block: i32, s: i32, kind: i32, lane: i32): usize {
  const kinds = type.minima ? 2 : 1;
  return group + <usize>(block * scalesOfBlock(type) + 32 * kinds + (s * kinds + kind) * 16 + lane);
}

/**
 * The scale of a weight (`kind` 0), or its minimum, which is added to scale * code (`kind` 1). `column` may be any of
 * the columns that share them.
 */
export function scaleAt(group: usize, type: WeightType, column: i32, kind: i32, lane: i32): f32 {
  if (type.scales == Scales.EXPONENT)
    return powerOfTwo(<i32>load<u8>(group + <usize>((column / 32) * 16 + lane)) - 128);
  if (!type.hasSuperBlocks) return f16(load<u16>(f16Address(group, type, column / 32, kind, lane)));
  const s = (column % 256) / <i32>type.columnsPerScale;
  const small = <f32>load<i8>(smallAddress(group, type, column / 256, s, kind, lane));
  const product = f16(load<u16>(f16Address(group, type, column / 256, kind, lane))) * small;
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
  type: WeightType,
  from: i32,
  count: i32,
): void {
  const blocks = count / <i32>type.columnsPerScale;
  for (let row = 0; row < GROUP_ROWS; row++) {
    for (let block = 0; block < blocks; block++) {
      const index = block * GROUP_ROWS + row;
      const column = from + block * <i32>type.columnsPerScale;
      setF32(scales, index, scaleAt(group, type, column, 0, row));
      if (type.minima) setF32(minima, index, scaleAt(group, type, column, 1, row));
    }
  }
}
