import { FUSED_DOT } from "../lanes";
import {
  groupBytes,
  groupScalesBytes,
  hasLevels,
  hasMinima,
  isFloat,
  planes,
  Q4_1,
  Q8_0,
  scaleColumns,
  scalesInTiles,
  TILE_TOKENS,
} from "../layout";
import { levelsOf } from "./levels";
import { gemvCodes, gemvCodesFused } from "./matmul-codes";
import { gemvFloat } from "./matmul-float";
import { gemvLevels } from "./matmul-levels";
import { gemvQ4, gemvQ4Fused } from "./matmul-q4";
import { gemvQ8 } from "./matmul-q8";
import { panelBytes, scalesBytes, unpack } from "./panel";
import { unpackGroupScales } from "./scales";
import { tileI8, tileI8Fused, tileI16 } from "./tile";

/** Bytes of scratch that a product needs. */
export function matmulScratchBytes(columns: i32): i32 {
  return panelBytes(columns);
}

/**
 * dst[r][16 g .. 16 g + 16) = W[group g] x[r], for groups [groupBegin, groupEnd) and all activation rows.
 * One row streams the weights as they lie. Several rows share each group's panel; the bits are the same.
 * @param dst f32, `dstStride` bytes a row   @param w all groups of the matrix, tiled (layout.ts)
 * @param x rows of `xStride` bytes: f32 for float weights, else quantised, one row or tiles of TILE_TOKENS rows
 * @param scratch matmulScratchBytes, 16-byte aligned
 */
export function matmul(
  dst: usize,
  dstStride: i32,
  x: usize,
  xStride: i32,
  rows: i32,
  w: usize,
  type: i32,
  columns: i32,
  groupBegin: i32,
  groupEnd: i32,
  scratch: usize,
): void {
  const bytes = <usize>groupBytes(type, columns);
  for (let g = groupBegin; g < groupEnd; g++) {
    const group = w + <usize>g * bytes;
    const out = dst + ((<usize>g) << 6);
    if (rows == 1) gemv(out, group, x, columns, type, scratch);
    else if (!isFloat(type)) gemm(out, dstStride, x, xStride, rows, group, type, columns, scratch);
    else {
      for (let r = 0; r < rows; r++)
        gemvFloat(out + <usize>(r * dstStride), group, x + <usize>(r * xStride), columns, type);
    }
  }
}

function gemv(dst: usize, group: usize, x: usize, columns: i32, type: i32, scratch: usize): void {
  if (isFloat(type)) gemvFloat(dst, group, x, columns, type);
  else if (type == Q8_0) gemvQ8(dst, group, x, columns);
  else if (scalesInTiles(type)) {
    if (FUSED_DOT) gemvQ4Fused(dst, group, x, columns, type == Q4_1 ? 1 : 0);
    else gemvQ4(dst, group, x, columns, type == Q4_1 ? 1 : 0);
  } else {
    // Scales first, then codes: memory is read in order.
    const rest = scratch + <usize>scalesBytes(type, columns);
    unpackGroupScales(scratch, rest, group, type, 0, columns);
    const w = group + <usize>groupScalesBytes(type, columns);
    const minima = hasMinima(type) ? rest : 0;
    if (hasLevels(type)) gemvLevels(dst, w, scratch, x, columns, levelsOf(type));
    else if (FUSED_DOT) gemvCodesFused(dst, w, scratch, minima, x, columns, planes(type), scaleColumns(type));
    else gemvCodes(dst, w, scratch, minima, x, columns, planes(type), scaleColumns(type));
  }
}

/**
 * Few rows compute too little on a group to hide that it must come from memory: they take it in chunks of columns, so that
 * the processor fetches the next lines meanwhile. 8 rows of Q4_0: 41 -> 44 G multiply-adds/s; 16 rows: no gain.
 */
const FEW_ROWS: i32 = 8;
const CHUNK_COLUMNS: i32 = 128;

/** One group of rows times all tiles of tokens. */
function gemm(
  dst: usize,
  dstStride: i32,
  x: usize,
  xStride: i32,
  rows: i32,
  group: usize,
  type: i32,
  columns: i32,
  scratch: usize,
): void {
  const digits = ASC_FEATURE_RELAXED_SIMD ? type != Q8_0 && !hasLevels(type) : false;
  const chunk = rows <= FEW_ROWS ? min(columns, CHUNK_COLUMNS) : columns;
  const perScale = scaleColumns(type);
  const bits = planes(type);
  for (let from = 0; from < columns; from += chunk) {
    const count = min(chunk, columns - from);
    const scales = scratch;
    const all = <usize>scalesBytes(type, count);
    const panel = scratch + 2 * all;
    unpack(panel, scales, group, columns, type, from, count);
    const half = <usize>((digits ? 8 : 16) * count);
    for (let r = 0; r < rows; r += TILE_TOKENS) {
      const tokens = min(TILE_TOKENS, rows - r);
      const tile = x + <usize>(r * xStride);
      let out = dst + <usize>(r * dstStride);
      for (let h: usize = 0; h < 2; h++) {
        const s = scales + h * (all >> 1);
        const m = hasMinima(type) ? s + all : 0;
        const w = panel + h * half;
        if (digits && FUSED_DOT)
          tileI8Fused(out, dstStride, tokens, w, s, m, tile, columns, from, count, bits, perScale);
        else if (digits) tileI8(out, dstStride, tokens, w, s, m, tile, columns, from, count, bits, perScale);
        else tileI16(out, dstStride, tokens, w, s, m, tile, columns, from, count, perScale);
        out += 32;
      }
    }
  }
}
