import { byteMask, nibbleMask } from "../../lanes";
import { BLOCK, groupScalesBytes, tileBytes } from "../../layout";
import { Q8_0, WeightType } from "../../weight-types";
import { codesAt, fieldMask, firstCodes, highMask, lastCodes, levels, plane, stepBytes } from "../weights/codes";
import { levelsOf } from "../weights/levels";
import { unpackF16, unpackGroupScales } from "../weights/scales";

// A panel: a group of 16 weight rows that is unpacked once, for all tiles of token rows to read from L1. Nothing is
// left in the inner loop but loads, dots and adds.
//
//   i8       u8 codes [columns / 4][16 rows][4 columns]
//            for the relaxed dot product: codes of 4 to 6 bits
//   i16      i16 codes [columns / 4][pair 0..1][16 rows][2 columns]
//            for the baseline dot product: int8 weights and levels, and codes of 4 to 6 bits, less the code of 0
//   scales   f32 [columns / columnsPerScale][16 rows], then minima likewise

/**
 * Most bytes of a group's panel, with its scales and minima: codes of 16 bits, a scale and a minimum per 16 columns.
 */
export function panelBytes(columns: i32): i32 {
  return 32 * columns + 2 * (columns / 16) * 64;
}

/** Bytes of the scales, or of the minima, of a panel. */
export function panelScalesBytes(type: WeightType, columns: i32): i32 {
  return (columns / <i32>type.columnsPerScale) * 64;
}

/** Unpacks columns [from, from + count) of a group of `columns` into the form that this build multiplies. */
export function unpackPanel(
  panel: usize,
  scales: usize,
  group: usize,
  columns: i32,
  type: WeightType,
  from: i32,
  count: i32,
): void {
  const w = group + <usize>(groupScalesBytes(type, columns) + (from / BLOCK) * tileBytes(type));
  if (type.id == Q8_0) unpackQ8I16(panel, scales, w, count);
  else if (type.scalesInTiles) {
    if (ASC_FEATURE_RELAXED_SIMD) unpackQ4I8(panel, scales, w, count, type.minima);
    else unpackQ4I16(panel, scales, w, count, type.minima);
  } else {
    unpackGroupScales(scales, scales + <usize>panelScalesBytes(type, count), group, type, from, count);
    if (type.levels) unpackLevelsI16(panel, w, count, levelsOf(type));
    else if (ASC_FEATURE_RELAXED_SIMD) unpackCodesI8(panel, w, count, type.planes);
    else unpackCodesI16(panel, w, count, type.planes, type.minima ? 0 : type.zeroCode);
  }
}

/** Unpacks Q4_0 (`minima` 0) or Q4_1 (1) to i8. @param w tiles */
export function unpackQ4I8(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const header: usize = minima ? 64 : 32;
  unpackTileScales(scales, w, columns, minima, header + 256);
  codesToI8<u8>(panel, w, columns, header);
}

/** Unpacks Q4_0 or Q4_1 to i16. Codes of Q4_0 become code - 8. */
export function unpackQ4I16(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const header: usize = minima ? 64 : 32;
  unpackTileScales(scales, w, columns, minima, header + 256);
  codesToI16<u8>(panel, w, columns, header, minima ? 0 : 8);
}

/** Unpacks Q8_0 to i16. @param w tiles */
export function unpackQ8I16(panel: usize, scales: usize, w: usize, columns: i32): void {
  unpackTileScales(scales, w, columns, 0, 32 + 512);
  for (let b = columns / BLOCK; b > 0; b--) {
    w += 32;
    const end = w + 512;
    while (w < end) {
      v128.store(panel, v128.load8x8_s(w));
      v128.store(panel, v128.load8x8_s(w, 8), 16);
      v128.store(panel, v128.load8x8_s(w, 16), 32);
      v128.store(panel, v128.load8x8_s(w, 24), 48);
      panel += 64;
      w += 32;
    }
  }
}

/** Unpacks the scales, and minima, at the beginning of each tile of `tileBytes`. */
function unpackTileScales(scales: usize, w: usize, columns: i32, minima: i32, tileBytes: usize): void {
  const bytes = <usize>((columns / BLOCK) << 6);
  for (let b = columns / BLOCK; b > 0; b--) {
    unpackF16(scales, w);
    if (minima) unpackF16(scales + bytes, w + 32);
    scales += 64;
    w += tileBytes;
  }
}

/** Unpacks codes of 4 to 6 bits to i8. @param w tiles without scales */
export function unpackCodesI8(panel: usize, w: usize, columns: i32, planes: i32): void {
  if (planes == 0) codesToI8<u8>(panel, w, columns, 0);
  else if (planes == 1) codesToI8<u16>(panel, w, columns, 0);
  else codesToI8<u32>(panel, w, columns, 0);
}

/**
 * Unpacks codes to i8. P stands for the planes of the codes (codes.ts).
 * @param header bytes before the codes of each tile
 */
function codesToI8<P>(panel: usize, w: usize, columns: i32, header: usize): void {
  const mask = nibbleMask();
  const high = highMask<P>();
  for (let b = columns / BLOCK; b > 0; b--) {
    w += header;
    const end = w + 4 * stepBytes<P>();
    while (w < end) {
      const h0 = plane<P>(w, 0);
      const h2 = plane<P>(w, 2);
      const v0 = v128.load(w);
      const v1 = v128.load(w, 16);
      const v2 = v128.load(w, 32);
      const v3 = v128.load(w, 48);
      v128.store(panel, firstCodes<P>(v0, h0, 0, mask, high));
      v128.store(panel, firstCodes<P>(v1, h0, 1, mask, high), 16);
      v128.store(panel, firstCodes<P>(v2, h2, 2, mask, high), 32);
      v128.store(panel, firstCodes<P>(v3, h2, 3, mask, high), 48);
      v128.store(panel, lastCodes<P>(v0, h0, 0, mask, high), 64);
      v128.store(panel, lastCodes<P>(v1, h0, 1, mask, high), 80);
      v128.store(panel, lastCodes<P>(v2, h2, 2, mask, high), 96);
      v128.store(panel, lastCodes<P>(v3, h2, 3, mask, high), 112);
      panel += 128;
      w += stepBytes<P>();
    }
  }
}

/** Unpacks codes of 4 to 6 bits to i16, less `zero`. @param w tiles without scales */
export function unpackCodesI16(panel: usize, w: usize, columns: i32, planes: i32, zero: i32): void {
  if (planes == 0) codesToI16<u8>(panel, w, columns, 0, zero);
  else if (planes == 1) codesToI16<u16>(panel, w, columns, 0, zero);
  else codesToI16<u32>(panel, w, columns, 0, zero);
}

function codesToI16<P>(panel: usize, w: usize, columns: i32, header: usize, zero: i32): void {
  const mask = nibbleMask();
  const bytes = byteMask();
  const low = fieldMask<P>();
  const zeros = i16x8.splat(<i16>zero);
  for (let b = columns / BLOCK; b > 0; b--) {
    w += header;
    const end = w + 4 * stepBytes<P>();
    while (w < end) {
      for (let quad = 0; quad < 4; quad++) {
        const v = v128.load(w + ((<usize>quad) << 4));
        const h = plane<P>(w, quad);
        const at = panel + ((<usize>quad) << 4);
        storeUnsigned(at, codesAt<P>(v128.and(v, mask), h, 2 * quad, low), bytes, zeros);
        storeUnsigned(at + 128, codesAt<P>(v128.and(i16x8.shr_u(v, 4), mask), h, 2 * quad + 1, low), bytes, zeros);
      }
      panel += 256;
      w += stepBytes<P>();
    }
  }
}

/** Stores four rows by four columns of u8 as two pairs of columns of i16, less `zeros`. @param mask byteMask */
function storeUnsigned(at: usize, codes: v128, mask: v128, zeros: v128): void {
  v128.store(at, i16x8.sub(v128.and(codes, mask), zeros));
  v128.store(at, i16x8.sub(i16x8.shr_u(codes, 8), zeros), 64);
}

/** Unpacks the levels of 4-bit codes to i16. @param w tiles without scales @param table sixteen levels i8 */
export function unpackLevelsI16(panel: usize, w: usize, columns: i32, table: usize): void {
  const mask = nibbleMask();
  const all = v128.load(table);
  const end = w + <usize>(columns << 3);
  while (w < end) {
    for (let quad: usize = 0; quad < 4; quad++) {
      const v = v128.load(w + (quad << 4));
      const at = panel + (quad << 4);
      storeSigned(at, levels(all, v128.and(v, mask)));
      storeSigned(at + 128, levels(all, v128.and(i16x8.shr_u(v, 4), mask)));
    }
    panel += 256;
    w += 64;
  }
}

/** Stores four rows by four columns of i8 as two pairs of columns of i16. */
function storeSigned(at: usize, codes: v128): void {
  v128.store(at, i16x8.shr_s(i16x8.shl(codes, 8), 8));
  v128.store(at, i16x8.shr_s(codes, 8), 64);
}
