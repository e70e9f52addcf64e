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
  assert(type == F16 || type == BF16, "tileBytes: no kernel for this type");
  return 32;
}

/** Columns of a tile. */
export function tileColumns(type: i32): i32 {
  return type == Q4_0 || type == Q4_1 || type == Q8_0 ? BLOCK : 1;
}

/** Bytes of one group of GROUP_ROWS rows of `columns` weights. */
export function groupBytes(type: i32, columns: i32): i32 {
  assert(columns > 0 && (columns & (tileColumns(type) - 1)) == 0, "groupBytes: columns must be whole tiles");
  return (columns / tileColumns(type)) * tileBytes(type);
}

/**
 * Quantised activations of a tile of `width` token rows, 1 in decode and TILE_TOKENS otherwise; 5 bytes a value
 * (kernels/quantize.ts says how the codes come about). With n = columns * width:
 *
 *   i8 first digits[n] | i8 second digits[n] | i16 codes[n] | meta[columns / 32][width] of 32 bytes
 *   digits: [columns / 4][width][4]   codes: [columns / 2][width][2]
 *   meta: f32 scale d | f32 d * sum of codes | 2 x i16 start of the first digits | 2 x i16 start of the second
 *         | 2 x i32 start of the codes | i32 digits, 1 or 2 | 4 B unused
 *
 * So one pointer with constant offsets serves all tokens of a tile, and four bytes broadcast to all lanes.
 * A start is -8 times the sum of what one lane of the int4 product meets: columns 0, 1 (mod 4) in the first, 2, 3 (mod 4)
 * in the second. It centres the codes 0..15 of Q4_0 for nothing; of digits at most 8 * 16 * 127 = 16,256.
 */
export function quantizedRowBytes(columns: i32): i32 {
  return 4 * columns + (columns / BLOCK) * META_BYTES;
}
export const META_BYTES: i32 = 32;
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
