import { byteMask, nibbleMask } from "../lanes";
import {
  BLOCK,
  groupScalesBytes,
  hasLevels,
  hasMinima,
  planes,
  Q2_K,
  Q4_1,
  Q8_0,
  scaleColumns,
  scalesInTiles,
  tileBytes,
  zeroCode,
} from "../layout";
import { codesAt, fieldMask, firstCodes, highMask, lastCodes, levels, plane, stepBytes } from "./codes";
import { levelsOf } from "./levels";
import { unpackF16, unpackGroupScales } from "./scales";

// A group of 16 weight rows unpacked once, for all tiles of tokens to read from L1 (reference/kernels.md 3): nothing is
// left in the inner loop but loads, dots and adds.
//
//   bytes   u8 codes [half 0..1][columns / 4][quad 0..1][4 rows][4 columns]          relaxed dot, codes of 4 to 6 bits
//   words   i16 codes [half 0..1][columns / 4][pair 0..1][quad 0..1][4 rows][2 columns]   baseline dot: centred; int8, levels
//   scales  f32 [half 0..1][columns / scaleColumns][quad 0..1][4 rows], then minima likewise

/** Most bytes of the panel of a group, scales and minima included. */
export function panelBytes(columns: i32): i32 {
  return 32 * columns + 2 * scalesBytes(Q2_K, columns);
}

/** Bytes of the scales of a panel. */
export function scalesBytes(type: i32, columns: i32): i32 {
  return (columns / scaleColumns(type)) * 64;
}

/** Q4_0 or Q4_1 to bytes. */
export function unpackQ4Bytes(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const mask = nibbleMask();
  const half = <usize>(8 * columns);
  const scalesHalf = <usize>((columns / BLOCK) << 6) >> 1;
  const all = <usize>((columns / BLOCK) << 6);
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackF16(scales, scalesHalf, w);
    if (minima) unpackF16(scales + all, scalesHalf, w + 32);
    scales += 32;
    w += minima ? 64 : 32;
    for (let step = 0; step < 4; step++) {
      const v0 = v128.load(w);
      const v1 = v128.load(w, 16);
      const v2 = v128.load(w, 32);
      const v3 = v128.load(w, 48);
      v128.store(panel, v128.and(v0, mask));
      v128.store(panel, v128.and(v1, mask), 16);
      v128.store(panel, v128.and(i16x8.shr_u(v0, 4), mask), 32);
      v128.store(panel, v128.and(i16x8.shr_u(v1, 4), mask), 48);
      v128.store(panel + half, v128.and(v2, mask));
      v128.store(panel + half, v128.and(v3, mask), 16);
      v128.store(panel + half, v128.and(i16x8.shr_u(v2, 4), mask), 32);
      v128.store(panel + half, v128.and(i16x8.shr_u(v3, 4), mask), 48);
      panel += 64;
      w += 64;
    }
  }
}

/** Four rows by four columns of codes to two pairs of columns, centred. @param mask byteMask */
function storeWords(at: usize, codes: v128, mask: v128, centre: v128): void {
  v128.store(at, i16x8.sub(v128.and(codes, mask), centre));
  v128.store(at, i16x8.sub(i16x8.shr_u(codes, 8), centre), 32);
}

/** Q4_0 or Q4_1 to words. */
export function unpackQ4Words(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const mask = nibbleMask();
  const bytes = byteMask();
  const centre = i16x8.splat(minima ? 0 : 8);
  const half = <usize>(16 * columns);
  const scalesHalf = <usize>((columns / BLOCK) << 6) >> 1;
  const all = <usize>((columns / BLOCK) << 6);
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackF16(scales, scalesHalf, w);
    if (minima) unpackF16(scales + all, scalesHalf, w + 32);
    scales += 32;
    w += minima ? 64 : 32;
    for (let step = 0; step < 4; step++) {
      for (let quad: usize = 0; quad < 4; quad++) {
        const v = v128.load(w + (quad << 4));
        const at = panel + (quad >> 1) * half + ((quad & 1) << 4);
        storeWords(at, v128.and(v, mask), bytes, centre);
        storeWords(at + 64, v128.and(i16x8.shr_u(v, 4), mask), bytes, centre);
      }
      panel += 128;
      w += 64;
    }
  }
}

/** Q8_0 to words. */
export function unpackQ8Words(panel: usize, scales: usize, w: usize, columns: i32): void {
  const half = <usize>(16 * columns);
  const scalesHalf = <usize>((columns / BLOCK) << 6) >> 1;
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackF16(scales, scalesHalf, w);
    scales += 32;
    w += 32;
    for (let pair = 0; pair < 16; pair++) {
      v128.store(panel, v128.load8x8_s(w));
      v128.store(panel, v128.load8x8_s(w, 8), 16);
      v128.store(panel + half, v128.load8x8_s(w, 16));
      v128.store(panel + half, v128.load8x8_s(w, 24), 16);
      panel += 32;
      w += 32;
    }
  }
}

/** Codes of 4 to 6 bits to bytes. @param w tiles without scales */
export function unpackCodesBytes(panel: usize, w: usize, columns: i32, planes: i32): void {
  if (planes == 0) toBytes<u8>(panel, w, columns);
  else if (planes == 1) toBytes<u16>(panel, w, columns);
  else toBytes<u32>(panel, w, columns);
}

function toBytes<P>(panel: usize, w: usize, columns: i32): void {
  const mask = nibbleMask();
  const high = highMask<P>();
  const half = <usize>(8 * columns);
  const end = w + <usize>(columns >> 3) * stepBytes<P>();
  while (w < end) {
    const h0 = plane<P>(w, 0);
    const h2 = plane<P>(w, 2);
    const v0 = v128.load(w);
    const v1 = v128.load(w, 16);
    const v2 = v128.load(w, 32);
    const v3 = v128.load(w, 48);
    v128.store(panel, firstCodes<P>(v0, h0, 0, mask, high));
    v128.store(panel, firstCodes<P>(v1, h0, 1, mask, high), 16);
    v128.store(panel, lastCodes<P>(v0, h0, 0, mask, high), 32);
    v128.store(panel, lastCodes<P>(v1, h0, 1, mask, high), 48);
    v128.store(panel + half, firstCodes<P>(v2, h2, 2, mask, high));
    v128.store(panel + half, firstCodes<P>(v3, h2, 3, mask, high), 16);
    v128.store(panel + half, lastCodes<P>(v2, h2, 2, mask, high), 32);
    v128.store(panel + half, lastCodes<P>(v3, h2, 3, mask, high), 48);
    panel += 64;
    w += stepBytes<P>();
  }
}

/** Codes of 4 to 6 bits to words, less `zero`. @param w tiles without scales */
export function unpackCodesWords(panel: usize, w: usize, columns: i32, planes: i32, zero: i32): void {
  if (planes == 0) toWords<u8>(panel, w, columns, zero);
  else if (planes == 1) toWords<u16>(panel, w, columns, zero);
  else toWords<u32>(panel, w, columns, zero);
}

function toWords<P>(panel: usize, w: usize, columns: i32, zero: i32): void {
  const mask = nibbleMask();
  const bytes = byteMask();
  const low = fieldMask<P>();
  const centre = i16x8.splat(<i16>zero);
  const half = <usize>(16 * columns);
  const end = w + <usize>(columns >> 3) * stepBytes<P>();
  while (w < end) {
    for (let quad = 0; quad < 4; quad++) {
      const v = v128.load(w + ((<usize>quad) << 4));
      const h = plane<P>(w, quad);
      const at = panel + <usize>(quad >> 1) * half + ((<usize>(quad & 1)) << 4);
      storeWords(at, codesAt<P>(v128.and(v, mask), h, 2 * quad, low), bytes, centre);
      storeWords(at + 64, codesAt<P>(v128.and(i16x8.shr_u(v, 4), mask), h, 2 * quad + 1, low), bytes, centre);
    }
    panel += 128;
    w += stepBytes<P>();
  }
}

/** Levels of 4-bit codes to words. @param w tiles without scales @param table sixteen levels i8 */
export function unpackLevelsWords(panel: usize, w: usize, columns: i32, table: usize): void {
  const mask = nibbleMask();
  const all = v128.load(table);
  const half = <usize>(16 * columns);
  const end = w + <usize>(columns << 3);
  while (w < end) {
    for (let quad: usize = 0; quad < 4; quad++) {
      const v = v128.load(w + (quad << 4));
      const at = panel + (quad >> 1) * half + ((quad & 1) << 4);
      storeSigned(at, levels(all, v128.and(v, mask)));
      storeSigned(at + 64, levels(all, v128.and(i16x8.shr_u(v, 4), mask)));
    }
    panel += 128;
    w += 64;
  }
}

/** Four rows by four columns of i8 to two pairs of columns. */
function storeSigned(at: usize, codes: v128): void {
  v128.store(at, i16x8.shr_s(i16x8.shl(codes, 8), 8));
  v128.store(at, i16x8.shr_s(codes, 8), 32);
}

/** Unpacks columns [from, from + count) of a group of `columns` into the form that this build multiplies. */
export function unpack(
  panel: usize,
  scales: usize,
  group: usize,
  columns: i32,
  type: i32,
  from: i32,
  count: i32,
): void {
  const w = group + <usize>(groupScalesBytes(type, columns) + (from / BLOCK) * tileBytes(type));
  if (scalesInTiles(type)) {
    const minima = type == Q4_1 ? 1 : 0;
    if (type == Q8_0) unpackQ8Words(panel, scales, w, count);
    else if (ASC_FEATURE_RELAXED_SIMD) unpackQ4Bytes(panel, scales, w, count, minima);
    else unpackQ4Words(panel, scales, w, count, minima);
    return;
  }
  unpackGroupScales(scales, scales + <usize>scalesBytes(type, count), group, type, from, count);
  if (hasLevels(type)) unpackLevelsWords(panel, w, count, levelsOf(type));
  else if (ASC_FEATURE_RELAXED_SIMD) unpackCodesBytes(panel, w, count, planes(type));
  else unpackCodesWords(panel, w, count, planes(type), hasMinima(type) ? 0 : zeroCode(type));
}
