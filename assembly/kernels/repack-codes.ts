import {
  BLOCK,
  groupScalesBytes,
  hasMinima,
  hasSuperBlocks,
  MXFP4,
  planes,
  SUPER_BLOCK,
  scaleColumns,
  superScalesBytes,
} from "../layout";
import { fileBlockBytes, fileCodes, fileHalf, fileMinimum, fileScale } from "./file-blocks";

/** 2^127 times the largest level of MXFP4 and the next two powers of two leave the range of f32. */
const LARGEST_EXPONENT: i32 = 252;

/**
 * One row into its lane of a group, its high bits zeroed, of a type whose scales go before the codes.
 * @returns 1 where a scale is infinite or NaN, or would make a weight infinite
 */
export function repackCodesRow(group: usize, row: usize, columns: i32, type: i32, lane: i32): i32 {
  const blockColumns = hasSuperBlocks(type) ? SUPER_BLOCK : BLOCK;
  const blocks = columns / blockColumns;
  let scales = group + <usize>lane;
  let tile = group + <usize>groupScalesBytes(type, columns);
  const stepBytes = <usize>(64 + 16 * planes(type));
  let bad = 0;
  for (let b = 0; b < blocks; b++) {
    if (type == MXFP4) {
      store<u8>(scales, load<u8>(row));
      bad |= <i32>(load<u8>(row) > LARGEST_EXPONENT);
      scales += 16;
    } else {
      bad |= repackHalf(scales + <usize>lane, row + fileHalf(type));
      if (hasMinima(type)) bad |= repackHalf(scales + <usize>lane + 32, row + fileHalf(type) + 2);
      if (hasSuperBlocks(type)) {
        repackSmall(scales + (hasMinima(type) ? 64 : 32), row, type);
        scales += <usize>superScalesBytes(type);
      } else scales += hasMinima(type) ? 64 : 32;
    }
    for (let step = 0; step < blockColumns >> 3; step++) {
      storeCodes(tile, fileCodes(row, type, 2 * step), fileCodes(row, type, 2 * step + 1), planes(type), lane);
      tile += stepBytes;
    }
    row += <usize>fileBlockBytes(type);
  }
  return bad;
}

/** An f16. @returns 1 where it is infinite or NaN */
function repackHalf(to: usize, from: usize): i32 {
  const bits = load<u16>(from);
  store<u16>(to, bits);
  return <i32>((bits & 0x7c00) == 0x7c00);
}

/** The small scales, and minima, of a block of 256 to every 16th byte. */
function repackSmall(to: usize, block: usize, type: i32): void {
  for (let j = 0; j < SUPER_BLOCK / scaleColumns(type); j++) {
    store<u8>(to, <u8>fileScale(block, type, j));
    if (hasMinima(type)) {
      to += 16;
      store<u8>(to, <u8>fileMinimum(block, type, j));
    }
    to += 16;
  }
}

/** Four codes of columns 0..3 and four of columns 4..7 of a step into a lane (layout.ts, tileBytes). */
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
