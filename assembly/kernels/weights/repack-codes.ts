import { groupScalesBytes, SUPER_BLOCK, superScalesBytes } from "../../layout";
import { Scales, WeightType } from "../../weight-types";
import { fileCodes, fileMinimum, fileScale } from "./file-blocks";

/** The largest exponent whose power of two, times the largest level of MXFP4 (12), fits f32. */
const LARGEST_EXPONENT: i32 = 252;

/**
 * Repacks one row into its lane of a group, for types whose scales lie before the codes. The high bits in the group
 * must be 0 before the call.
 * @returns 1 where a scale is infinite or NaN, or would make a weight infinite
 */
export function repackCodesRow(group: usize, row: usize, columns: i32, type: WeightType, lane: i32): i32 {
  const blockColumns = <i32>type.blockColumns;
  const blocks = columns / blockColumns;
  let scales = group + <usize>lane;
  let tile = group + <usize>groupScalesBytes(type, columns);
  const stepBytes = <usize>(64 + 16 * type.planes);
  let bad = 0;
  for (let b = 0; b < blocks; b++) {
    if (type.scales == Scales.EXPONENT) {
      store<u8>(scales, load<u8>(row));
      bad |= <i32>(load<u8>(row) > LARGEST_EXPONENT);
      scales += 16;
    } else {
      bad |= repackF16(scales + <usize>lane, row + <usize>type.f16At);
      if (type.minima) bad |= repackF16(scales + <usize>lane + 32, row + <usize>type.f16At + 2);
      if (type.hasSuperBlocks) {
        repackSmall(scales + (type.minima ? 64 : 32), row, type);
        scales += <usize>superScalesBytes(type);
      } else scales += type.minima ? 64 : 32;
    }
    for (let step = 0; step < blockColumns >> 3; step++) {
      storeCodes(tile, fileCodes(row, type.id, 2 * step), fileCodes(row, type.id, 2 * step + 1), type.planes, lane);
      tile += stepBytes;
    }
    row += <usize>type.blockBytes;
  }
  return bad;
}

/** Copies an f16. @returns 1 where it is infinite or NaN */
function repackF16(to: usize, from: usize): i32 {
  const bits = load<u16>(from);
  store<u16>(to, bits);
  return <i32>((bits & 0x7c00) == 0x7c00);
}

/** Copies the small scales, and minima, of a super-block to every 16th byte. */
function repackSmall(to: usize, block: usize, type: WeightType): void {
  for (let j = 0; j < SUPER_BLOCK / <i32>type.columnsPerScale; j++) {
    store<u8>(to, <u8>fileScale(block, type.id, j));
    if (type.minima) {
      to += 16;
      store<u8>(to, <u8>fileMinimum(block, type.id, j));
    }
    to += 16;
  }
}

/** Puts the codes of columns 0..3 and 4..7 of a step into a lane (layout.ts, tileBytes). */
function storeCodes(step: usize, low: u32, high: u32, planes: i32, lane: i32): void {
  const quad = lane >> 2;
  const inQuad = (<usize>(lane & 3)) << 2;
  store<u32>(step + ((<usize>quad) << 4) + inQuad, (low & 0x0f0f0f0f) | ((high & 0x0f0f0f0f) << 4));
  if (!planes) return;
  const bit = quad * 2 * planes;
  const at = step + 64 + ((<usize>(bit >> 3)) << 4) + inQuad;
  const fields = ((low >> 4) & 0x03030303) | (((high >> 4) & 0x03030303) << planes);
  store<u32>(at, load<u32>(at) | (fields << (bit & 7)));
}
