// How data lies in linear memory. The one owner of these numbers on this side; `src/runtime/layout.ts` is their
// twin in TypeScript, and a test compares the two through the exports below.

/** Rows that one pass of a matrix product computes: their weights are interleaved, so decode reads one linear stream. */
export const GROUP_ROWS: i32 = 16;
/** Values that share a scale, in weights and in quantised activations. */
export const BLOCK: i32 = 32;
/** Tokens of a page of the key-value cache. */
export const PAGE_TOKENS: i32 = 32;

// Weight types: the ids of GGML. Every one has a layout of its own.
export const F32: i32 = 0;
export const F16: i32 = 1;
export const Q4_0: i32 = 2;
export const Q4_1: i32 = 3;
export const Q5_0: i32 = 6;
export const Q5_1: i32 = 7;
export const Q8_0: i32 = 8;
export const Q2_K: i32 = 10;
export const Q3_K: i32 = 11;
export const Q4_K: i32 = 12;
export const Q5_K: i32 = 13;
export const Q6_K: i32 = 14;
export const IQ4_NL: i32 = 20;
export const IQ4_XS: i32 = 23;
export const BF16: i32 = 30;
export const MXFP4: i32 = 39;

export function isFloat(type: i32): bool {
  return type == F32 || type == F16 || type == BF16;
}

/** Q4_0, Q4_1, Q8_0: each tile begins with its scales. The other quantised types have a group's scales before its codes. */
export function scalesInTiles(type: i32): bool {
  return type == Q4_0 || type == Q4_1 || type == Q8_0;
}

/** Values of a block in a file. */
export function blockValues(type: i32): i32 {
  return isFloat(type) ? 1 : hasSuperBlocks(type) ? SUPER_BLOCK : BLOCK;
}
/** Values whose small integer scales share an f16. */
export const SUPER_BLOCK: i32 = 256;

/** Whether scales are an f16 of a block of 256 times a small integer each. */
export function hasSuperBlocks(type: i32): bool {
  return (type >= Q2_K && type <= Q6_K) || type == IQ4_XS;
}

/** Columns that share a scale: 16 or 32. */
export function scaleColumns(type: i32): i32 {
  return type == Q2_K || type == Q3_K || type == Q6_K ? 16 : BLOCK;
}

/** Whether a weight is scale * code + minimum; else it is scale * (code - zero), or scale * level. */
export function hasMinima(type: i32): bool {
  return type == Q4_1 || type == Q5_1 || type == Q2_K || type == Q4_K || type == Q5_K;
}

/** Whether codes count from 0 to 15 into a table of levels (`levelsOf`). */
export function hasLevels(type: i32): bool {
  return type == IQ4_NL || type == IQ4_XS || type == MXFP4;
}

/** Vectors of high bits beside the four of low bits in a step of eight columns: 0, 1 (codes of 5 bits) or 2 (6 bits). */
export function planes(type: i32): i32 {
  return type == Q5_0 || type == Q5_1 || type == Q5_K ? 1 : type == Q6_K ? 2 : 0;
}

/** The code of a weight of 0 where there are no minima: the middle of the codes. */
export function zeroCode(type: i32): i32 {
  return 8 << planes(type);
}

/**
 * Bytes of a tile: GROUP_ROWS rows times BLOCK columns (quantised) or times one column (floats).
 *
 *   Q4_0   16 scales f16 | 256 B codes
 *   Q4_1   16 scales f16 | 16 minima f16 | 256 B codes
 *   Q8_0   16 scales f16 | 512 B codes
 *   F16, BF16, F32   16 values, one a row
 *   others 256 B codes, and 64 B of high bits for 5-bit codes, 128 B for 6-bit codes
 *
 * Codes of 4 bits: vector [step 0..3][quad 0..3] of 16 bytes; byte 4 r + c holds row 4 quad + r, column 8 step + c in its
 * low nibble and column 8 step + 4 + c in its high nibble. The high bits of a step follow its four vectors, at the same
 * byte 4 r + c: fields of as many bits, in the order quad 0 low nibble, quad 0 high nibble, quad 1 low nibble, ...
 * Codes of Q8_0: 8 bytes at [four 0..7][pair 0..1][quad 0..3]; byte 2 r + c holds row 4 quad + r, column 4 four + pair + 2 c.
 *
 * Columns c and c + 2 make a pair of i16, of weights and of activations: as i16, the bytes of columns c to c + 3 give
 * 0 and 2 where they lie, 1 and 3 shifted, and nothing is widened (kernels/matmul-words.ts).
 */
export function tileBytes(type: i32): i32 {
  if (type == Q8_0) return 32 + 512;
  if (type == F32) return 64;
  if (isFloat(type)) return 32;
  const codes = 256 + 64 * planes(type);
  return scalesInTiles(type) ? codes + (hasMinima(type) ? 64 : 32) : codes;
}

/** Columns of a tile. */
export function tileColumns(type: i32): i32 {
  return isFloat(type) ? 1 : BLOCK;
}

/**
 * Bytes of the scales before the codes of a group; 0 where tiles have their own. 16 of each kind, one a row:
 *
 *   Q5_0, IQ4_NL  a block of 32: scales f16          Q5_1   scales f16 | minima f16
 *   MXFP4         a block of 32: exponents u8
 *   K types, IQ4_XS   a block of 256: scales f16 | f16 of minima (where there are minima),
 *                     then 8 or 16 times (scaleColumns): scales i8 | minima i8
 */
export function groupScalesBytes(type: i32, columns: i32): i32 {
  if (isFloat(type) || scalesInTiles(type)) return 0;
  if (type == MXFP4) return (columns / BLOCK) * 16;
  const kinds = hasMinima(type) ? 2 : 1;
  if (!hasSuperBlocks(type)) return (columns / BLOCK) * 32 * kinds;
  return (columns / SUPER_BLOCK) * superScalesBytes(type);
}

/** Bytes of the scales of 16 rows of a block of 256. */
export function superScalesBytes(type: i32): i32 {
  return (32 + (SUPER_BLOCK / scaleColumns(type)) * 16) * (hasMinima(type) ? 2 : 1);
}

/** Bytes of one group of GROUP_ROWS rows of `columns` weights: scales, then tiles. */
export function groupBytes(type: i32, columns: i32): i32 {
  assert(columns > 0 && columns % blockValues(type) == 0, "groupBytes: columns must be whole blocks");
  return groupScalesBytes(type, columns) + (columns / tileColumns(type)) * tileBytes(type);
}

/**
 * Quantised activations of a tile of `width` token rows, 1 in decode and TILE_TOKENS otherwise; 5.5 bytes a
 * value (kernels/quantize.ts says how the codes come about). With n = columns * width:
 *
 *   i8 first digits[n] | i8 second digits[n] | i16 codes[n] | meta[columns / 32][width] of 48 bytes
 *   digits: [columns / 4][width][4]   codes: [columns / 4][pair 0..1][width][2], columns c and c + 2
 *   meta: f32 scale d | f32 d * sum of codes | 2 x i16 start of the first digits | 2 x i16 start of the second
 *         | 2 x i32 start of the codes | i32 digits, 1 or 2, then for weights with a scale per 16 columns:
 *         2 x i16 start of the second digits of the first 16 columns | 2 x i16 start of the first digits of the first 16
 *         | the same of the last 16 | f32 d * sum of codes of the first 16 | the same of the last 16
 *
 * So one pointer with constant offsets serves all tokens of a tile, and four bytes broadcast to all lanes.
 * A start is -8 times the sum of what one lane of the int4 product meets: columns 0, 1 (mod 4) in the first, 2, 3 (mod 4)
 * in the second. It centres the codes 0..15 of Q4_0 for nothing; of digits at most 8 * 16 * 127 = 16,256. Doubled, it
 * centres codes of 5 bits; four times that of 16 columns, codes of 6 bits: both 32,512 at most.
 */
export function quantizedRowBytes(columns: i32): i32 {
  return 4 * columns + (columns / BLOCK) * META_BYTES;
}
export const META_BYTES: i32 = 48;
/** Token rows that a product of several rows computes at once: 2 x 4 accumulators fit the 16 registers of x64. */
export const TILE_TOKENS: i32 = 4;

// Key-value cache types.
export const KV_F32: i32 = 0;
export const KV_INT8: i32 = 1;
/** Keys of 12 bits in i16, values int8. */
export const KV_MIXED: i32 = 2;

/**
 * The keys of one kv head of one layer in a page (kernels/kv-store.ts has the order inside).
 *   f32: 4 bytes a value.   int8 and mixed: 32 scales f32, then 1 or 2 bytes a value.
 */
export function keyBytes(kvType: i32, headDim: i32): i32 {
  if (kvType == KV_F32) return PAGE_TOKENS * headDim * 4;
  return PAGE_TOKENS * (4 + (kvType == KV_MIXED ? 2 : 1) * headDim);
}

/** The values of one kv head of one layer in a page. f32: 4 bytes a value; otherwise 32 scales f32, then a byte a value. */
export function valueBytes(kvType: i32, headDim: i32): i32 {
  return kvType == KV_F32 ? PAGE_TOKENS * headDim * 4 : PAGE_TOKENS * (4 + headDim);
}
