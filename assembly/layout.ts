// How data lies in linear memory. The one owner of these numbers on this side; `src/runtime/layout.ts` is their
// twin in TypeScript, and a test compares the two through the exports below.

/** Rows that one pass of a matrix product computes: their weights are interleaved, so decode reads one linear stream. */
export const GROUP_ROWS: i32 = 16;
/** Values that share a scale, in weights and in quantised activations. */
export const BLOCK: i32 = 32;
/** Tokens of a page of the key-value cache. */
export const PAGE_TOKENS: i32 = 32;

// Weight types: the ids of GGML.
export const F32: i32 = 0;
export const F16: i32 = 1;
export const Q4_0: i32 = 2;
export const Q4_1: i32 = 3;
export const Q8_0: i32 = 8;
export const BF16: i32 = 30;

/**
 * Bytes of a tile: GROUP_ROWS rows times BLOCK columns (quantised) or times one column (floats).
 *
 *   Q4_0   16 scales f16 | 256 B codes
 *   Q4_1   16 scales f16 | 16 minima f16 | 256 B codes
 *   Q8_0   16 scales f16 | 512 B codes
 *   F16, BF16, F32   16 values, one a row
 *
 * Codes of Q4: vector [step 0..3][quad 0..3] of 16 bytes; byte 4 r + c holds row 4 quad + r, column 8 step + c in its
 * low nibble and column 8 step + 4 + c in its high nibble.
 * Codes of Q8_0: 8 bytes at [pair 0..15][quad 0..3]; byte 2 r + c holds row 4 quad + r, column 2 pair + c.
 */
export function tileBytes(type: i32): i32 {
  if (type == Q4_0) return 32 + 256;
  if (type == Q4_1) return 64 + 256;
  if (type == Q8_0) return 32 + 512;
  if (type == F32) return 64;
  return 32; // F16, BF16
}

/** Columns of a tile. */
export function tileColumns(type: i32): i32 {
  return type == Q4_0 || type == Q4_1 || type == Q8_0 ? BLOCK : 1;
}

/** Bytes of one group of GROUP_ROWS rows of `columns` weights. */
export function groupBytes(type: i32, columns: i32): i32 {
  return (columns / tileColumns(type)) * tileBytes(type);
}

/**
 * A quantised activation row of `columns` values, 3.5 bytes a value:
 *
 *   i8 codes[columns] | i16 the same codes[columns] | meta[columns / 32] of 16 bytes
 *   meta: f32 scale d | f32 d * sum | 2 x i16 start of the int4 accumulators | 4 B unused
 *
 * The start is -8 times the sum of the codes that one i16 lane of the int4 product meets: columns 0, 1 (mod 4) in the
 * first, 2, 3 (mod 4) in the second. It centres the codes 0..15 of Q4_0 for nothing; at most 8 * 16 * 127 = 16,256.
 */
export function quantizedRowBytes(columns: i32): i32 {
  return 3 * columns + (columns / BLOCK) * META_BYTES;
}
export const META_BYTES: i32 = 16;

// Key-value cache types.
export const KV_F32: i32 = 0;
export const KV_Q8: i32 = 1;

/**
 * One kv head of one layer in a page: keys, then values (see kernels/kv-store.ts for the order inside).
 *   f32:  4 bytes a value.   int8: 32 scales f32, then a byte a value.
 */
export function kvHalfBytes(kvType: i32, headDim: i32): i32 {
  return kvType == KV_F32 ? PAGE_TOKENS * headDim * 4 : PAGE_TOKENS * 4 + PAGE_TOKENS * headDim;
}
