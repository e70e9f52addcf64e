import { FUSED_DOT } from "../../lanes";
import { groupBytes, groupScalesBytes, TILE_TOKENS } from "../../layout";
import { Matmul } from "../../operations";
import { Q8_0, WeightType, weightType } from "../../weight-types";
import { levelsOf } from "../weights/levels";
import { unpackGroupScales } from "../weights/scales";
import { panelBytes, panelScalesBytes, unpackPanel } from "./panel";
import { PanelTile } from "./panel-tile";
import { matmulRowCodes, matmulRowCodesFused, matmulRowQ4, matmulRowQ4Fused, matmulTwoRowsQ4 } from "./row-codes";
import { matmulRowsFloat } from "./row-float";
import { matmulRowLevels } from "./row-levels";
import { matmulRowQ8 } from "./row-q8";
import { matmulTileI8, matmulTileI8Fused, matmulTileI16 } from "./tile";

/** Room for a PanelTile before the panel, which stays 16-byte aligned. */
const PANEL_TILE_BYTES: i32 = 64;

/** Bytes of scratch per thread that a matmul needs. */
export function matmulScratchBytes(columns: i32): i32 {
  return PANEL_TILE_BYTES + panelBytes(columns);
}

/**
 * dst[r][16 g .. 16 g + 16) = W[group g] x[r], for groups [groupBegin, groupEnd) and all activation rows.
 * One row streams the weights as they lie. Several rows share each group's panel; the bits are the same.
 * @param rows activation rows at op.src: f32 for float weights; else quantised, one row or tiles of TILE_TOKENS rows
 * @param scratch matmulScratchBytes of this thread, 16-byte aligned
 */
export function matmul(op: Matmul, rows: i32, groupBegin: i32, groupEnd: i32, scratch: usize): void {
  const type = weightType(op.type);
  const bytes = <usize>groupBytes(type, op.columns);
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (op.packed && rows == 1 && type.scalesInTiles && type.id != Q8_0) {
      // Pairs of groups, half of the share apart.
      const half = (groupEnd - groupBegin) >> 1;
      const far = <usize>half * bytes;
      for (let g = groupBegin; g < groupBegin + half; g++) {
        const group = op.weights + <usize>g * bytes;
        matmulTwoRowsQ4(op, group, op.dst + ((<usize>g) << 6), far, (<usize>half) << 6, type.minima);
      }
      groupBegin += 2 * half;
    }
  }
  for (let g = groupBegin; g < groupEnd; g++) {
    const group = op.weights + <usize>g * bytes;
    const dst = op.dst + ((<usize>g) << 6);
    if (type.isFloat) matmulRowsFloat(op, dst, group, rows);
    else if (rows == 1) matmulRow(dst, group, op.src, op.columns, type, scratch);
    else matmulRows(op, dst, group, type, rows, scratch);
  }
}

/** Multiplies one group by one quantised activation row. */
function matmulRow(dst: usize, group: usize, x: usize, columns: i32, type: WeightType, scratch: usize): void {
  if (type.id == Q8_0) matmulRowQ8(dst, group, x, columns);
  else if (type.scalesInTiles) {
    if (FUSED_DOT) matmulRowQ4Fused(dst, group, x, columns, type.minima);
    else matmulRowQ4(dst, group, x, columns, type.minima);
  } else {
    // Scales first, then codes: memory is read in order.
    const rest = scratch + <usize>panelScalesBytes(type, columns);
    unpackGroupScales(scratch, rest, group, type, 0, columns);
    const w = group + <usize>groupScalesBytes(type, columns);
    const minima = type.minima ? rest : 0;
    if (type.levels) matmulRowLevels(dst, w, scratch, x, columns, levelsOf(type));
    else if (FUSED_DOT) matmulRowCodesFused(dst, w, scratch, minima, x, columns, type);
    else matmulRowCodes(dst, w, scratch, minima, x, columns, type);
  }
}

/**
 * Up to this many rows, a group is unpacked in chunks of columns, so that the processor fetches the next cache lines
 * while it computes. Few rows compute too little on a group to hide its latency otherwise. With 8 rows of Q4_0 the
 * speed goes from 41 to 44 G multiply-adds/s; with 16 rows there is no gain.
 */
const FEW_ROWS: i32 = 8;
const CHUNK_COLUMNS: i32 = 128;
/** Codes of a panel of more rows: half of L1. */
const PANEL_CODES_BYTES: i32 = 16384;

/** Multiplies one group by all token rows, two or four at a time. */
function matmulRows(op: Matmul, dst: usize, group: usize, type: WeightType, rows: i32, scratch: usize): void {
  const columns = op.columns;
  const digits = ASC_FEATURE_RELAXED_SIMD ? type.id != Q8_0 && !type.levels : false;
  const chunk = rows <= FEW_ROWS ? CHUNK_COLUMNS : PANEL_CODES_BYTES / (digits ? 16 : 32);
  const step = op.packed ? TILE_TOKENS : TILE_TOKENS / 2;
  const tile = changetype<PanelTile>(scratch);
  tile.dstStride = op.dstStride;
  tile.planes = type.planes;
  tile.columnsPerScale = type.columnsPerScale;
  tile.scales = scratch + PANEL_TILE_BYTES;
  for (let from = 0; from < columns; from += chunk) {
    const count = min(chunk, columns - from);
    const scalesBytes = <usize>panelScalesBytes(type, count);
    tile.minima = type.minima ? tile.scales + scalesBytes : 0;
    tile.panel = tile.scales + 2 * scalesBytes;
    unpackPanel(tile.panel, tile.scales, group, columns, type, from, count);
    tile.from = from;
    tile.count = count;
    for (let r = 0; r < rows; r += step) {
      const first = r % TILE_TOKENS;
      tile.tokens = min(step, rows - r);
      tile.dst = dst + <usize>(r * op.dstStride);
      tile.take(op.src + <usize>((r - first) * op.srcStride), columns, first, digits);
      if (digits && FUSED_DOT) matmulTileI8Fused(tile);
      else if (digits) matmulTileI8(tile);
      else matmulTileI16(tile);
    }
  }
}
