import { loadF16x4, nibbleMask } from "../lanes";
import { BLOCK, Q4_0, Q4_1 } from "../layout";

// A group of 16 weight rows unpacked once, for all tiles of tokens to read from L1 (reference/kernels.md 3): nothing is
// left in the inner loop but loads, dots and adds.
//
//   bytes   u8 codes [half 0..1][columns / 4][quad 0..1][4 rows][4 columns]          relaxed dot, int4
//   words   i16 codes [half 0..1][columns / 2][quad 0..1][4 rows][2 columns]         baseline dot: int4 centred, int8
//   scales  f32 [half 0..1][columns / 32][quad 0..1][4 rows], then minima likewise for Q4_1

/** Bytes of the panel of a group, scales and minima included. */
export function panelBytes(columns: i32): i32 {
  return 32 * columns + 2 * scalesBytes(columns);
}

/** Bytes of the scales of a panel. */
export function scalesBytes(columns: i32): i32 {
  return (columns / BLOCK) * 64;
}

/** Scales (and minima, which follow) of a block of a group, to their halves. */
function unpackScales(scales: usize, w: usize, half: usize): void {
  v128.store(scales, loadF16x4(w));
  v128.store(scales, loadF16x4(w + 8), 16);
  v128.store(scales + half, loadF16x4(w + 16));
  v128.store(scales + half, loadF16x4(w + 24), 16);
}

/** Q4_0 or Q4_1 to bytes. */
export function unpackQ4Bytes(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const mask = nibbleMask();
  const half = <usize>(8 * columns);
  const scalesHalf = <usize>scalesBytes(columns) >> 1;
  const all = <usize>scalesBytes(columns);
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackScales(scales, w, scalesHalf);
    if (minima) unpackScales(scales + all, w + 32, scalesHalf);
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

/** Four rows by four columns of codes to two pairs of columns, centred. */
function storeWords(at: usize, codes: v128, centre: v128): void {
  const pairs = v128.shuffle<i16>(codes, codes, 0, 2, 4, 6, 1, 3, 5, 7);
  v128.store(at, i16x8.sub(i16x8.extend_low_i8x16_u(pairs), centre));
  v128.store(at, i16x8.sub(i16x8.extend_high_i8x16_u(pairs), centre), 32);
}

/** Q4_0 or Q4_1 to words. */
export function unpackQ4Words(panel: usize, scales: usize, w: usize, columns: i32, minima: i32): void {
  const mask = nibbleMask();
  const centre = i16x8.splat(minima ? 0 : 8);
  const half = <usize>(16 * columns);
  const scalesHalf = <usize>scalesBytes(columns) >> 1;
  const all = <usize>scalesBytes(columns);
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackScales(scales, w, scalesHalf);
    if (minima) unpackScales(scales + all, w + 32, scalesHalf);
    scales += 32;
    w += minima ? 64 : 32;
    for (let step = 0; step < 4; step++) {
      for (let quad: usize = 0; quad < 4; quad++) {
        const v = v128.load(w + (quad << 4));
        const at = panel + (quad >> 1) * half + ((quad & 1) << 4);
        storeWords(at, v128.and(v, mask), centre);
        storeWords(at + 64, v128.and(i16x8.shr_u(v, 4), mask), centre);
      }
      panel += 128;
      w += 64;
    }
  }
}

/** Q8_0 to words. */
export function unpackQ8Words(panel: usize, scales: usize, w: usize, columns: i32): void {
  const half = <usize>(16 * columns);
  const scalesHalf = <usize>scalesBytes(columns) >> 1;
  for (let b = 0; b < columns / BLOCK; b++) {
    unpackScales(scales, w, scalesHalf);
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

/** Unpacks a group of quantised rows into the form that this build multiplies. */
export function unpack(panel: usize, scales: usize, w: usize, columns: i32, type: i32): void {
  if (type == Q4_0 || type == Q4_1) {
    const minima = type == Q4_1 ? 1 : 0;
    if (ASC_FEATURE_RELAXED_SIMD) unpackQ4Bytes(panel, scales, w, columns, minima);
    else unpackQ4Words(panel, scales, w, columns, minima);
  } else unpackQ8Words(panel, scales, w, columns);
}
