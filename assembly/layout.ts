// How weights and the key-value cache lie in linear memory. `src/runtime/layout.ts` is the twin in TypeScript, and
// `test/kernels/layout.test.ts` compares the two through exports. activations.ts has the layout of quantised
// activations.
import { Scales, WeightType } from "./weight-types";

/** Rows that one pass of a matmul computes: their weights are interleaved, so decode reads one linear stream. */
export const GROUP_ROWS: i32 = 16;
/** Columns of a block: the values that share a scale in a file, and in quantised activations. */
export const BLOCK: i32 = 32;
/** Columns of a super-block (GGML's QK_K), in the types whose scales are an f16 times small integers. */
export const SUPER_BLOCK: i32 = 256;
/** Tokens of a page of the key-value cache. */
export const PAGE_TOKENS: i32 = 32;
/** Token rows that a matmul of several rows computes at once: 2 x 4 accumulators fit the 16 registers of x64. */
export const TILE_TOKENS: i32 = 4;

/** Columns of a tile of weights. */
export function tileColumns(type: WeightType): i32 {
  return type.isFloat ? 1 : BLOCK;
}

/**
 * Bytes of a tile: GROUP_ROWS rows times BLOCK columns (quantised types) or times one column (floats).
 *
 *   Q4_0               16 scales f16 | 256 B codes
 *   Q4_1               16 scales f16 | 16 minima f16 | 256 B codes
 *   Q8_0               16 scales f16 | 512 B codes
 *   F16, BF16, F32     16 values, one per row
 *   all others         256 B codes, with 64 B of high bits for 5-bit codes and 128 B for 6-bit codes
 *
 * Codes of 4 to 6 bits lie in four steps of eight columns. A step is four vectors of 16 bytes, one per quad of rows:
 *
 *   vector quad, byte 4 r + c   row 4 quad + r; low nibble: column 8 step + c, high nibble: column 8 step + 4 + c
 *
 * The high bits of a step follow its four vectors, at the same byte 4 r + c. They are eight fields of 1 or 2 bits, in
 * the order quad 0 low nibble, quad 0 high nibble, quad 1 low nibble, and so on.
 *
 * Codes of Q8_0 lie in eight steps of four columns. A step is two pairs of columns with 8 bytes per quad:
 *
 *   step, pair 0..1, quad, byte 2 r + c   row 4 quad + r, column 4 step + pair + 2 c
 *
 * Columns c and c + 2 make a pair of i16, of weights and of activations alike. Taken as i16, the bytes of columns c to
 * c + 3 give columns 0 and 2 where they lie and 1 and 3 shifted, so nothing is widened (kernels/matmul/row-i16.ts).
 */
export function tileBytes(type: WeightType): i32 {
  const codes = ((GROUP_ROWS * <i32>type.bits) >> 3) * tileColumns(type);
  return type.scalesInTiles ? codes + tileScalesBytes(type) : codes;
}

/** Bytes of the scales, and minima, that a tile begins with where `scalesInTiles`. */
export function tileScalesBytes(type: WeightType): i32 {
  return type.minima ? 64 : 32;
}

/**
 * Bytes of the scales before the codes of a group; 0 where tiles have their own. There are 16 of each kind, one per
 * row:
 *
 *   Q5_0, IQ4_NL       per block of 32: scales f16
 *   Q5_1               per block of 32: scales f16 | minima f16
 *   MXFP4              per block of 32: exponents u8
 *   K types, IQ4_XS    per super-block: scales f16 | f16 of the minima (where the type has minima),
 *                      then 8 or 16 times (columnsPerScale): scales i8 | minima i8
 */
export function groupScalesBytes(type: WeightType, columns: i32): i32 {
  const kinds = type.minima ? 2 : 1;
  switch (<i32>type.scales) {
    case Scales.F16:
      return (columns / BLOCK) * 32 * kinds;
    case Scales.SUPER:
      return (columns / SUPER_BLOCK) * superScalesBytes(type);
    case Scales.EXPONENT:
      return (columns / BLOCK) * 16;
    default:
      return 0;
  }
}

/** Bytes of the scales of 16 rows of a super-block. */
export function superScalesBytes(type: WeightType): i32 {
  return (32 + (SUPER_BLOCK / <i32>type.columnsPerScale) * 16) * (type.minima ? 2 : 1);
}

/** Bytes of one group of GROUP_ROWS rows of `columns` weights: scales, then tiles. */
export function groupBytes(type: WeightType, columns: i32): i32 {
  assert(columns > 0 && columns % <i32>type.blockColumns == 0, "groupBytes: columns must be whole blocks");
  return groupScalesBytes(type, columns) + (columns / tileColumns(type)) * tileBytes(type);
}

// Types of the key-value cache.
export const KV_F32: i32 = 0;
export const KV_INT8: i32 = 1;
/** Keys of 12 bits in i16, values int8. */
export const KV_MIXED: i32 = 2;

/**
 * Bytes of the keys of one kv head of one layer in a page (kernels/kv-store.ts has the order inside).
 *
 *   f32           4 bytes per value
 *   int8, mixed   32 scales f32, then 1 or 2 bytes per value
 */
export function keyBytes(kvType: i32, headDim: i32): i32 {
  if (kvType == KV_F32) return PAGE_TOKENS * headDim * 4;
  return PAGE_TOKENS * (4 + (kvType == KV_MIXED ? 2 : 1) * headDim);
}

/** Bytes of the values of one kv head of one layer in a page. f32: 4 bytes per value; else 32 scales f32, then int8. */
export function valueBytes(kvType: i32, headDim: i32): i32 {
  return kvType == KV_F32 ? PAGE_TOKENS * headDim * 4 : PAGE_TOKENS * (4 + headDim);
}
