// How quantised activations lie in linear memory. kernels/quantize.ts says how the codes come about.
import { BLOCK } from "./layout";

/**
 * What a block of 32 columns of one activation row has besides its codes: 48 bytes. `d` is the block's scale.
 *
 * A centre is -8 times a sum of codes. Added to the sum of code * x over weight codes 0..15, it makes that the sum of
 * (code - 8) * x, so that Q4_0 is centred for nothing. Twice the centre does the same for codes of 5 bits, four times for
 * codes of 6 bits. Centres come in pairs, one per lane of the product: columns 0, 1 (mod 4), then columns 2, 3 (mod 4).
 * A pair of i16 is read as one 32-bit word. A centre of a block's digits is at most 8 * 16 * 127 = 16,256, so doubled it is
 * at most 32,512, and so is four times that of 16 columns.
 *
 * Weights with a scale per 16 columns read the fields of the block's low (first) and high (last) 16 columns; the low and
 * the high field are neighbours.
 */
@unmanaged
export class BlockMeta {
  /** d */
  scale: f32;
  /** d * the sum of the codes */
  scaledSum: f32;
  /** 2 x i16: of the first digits */
  centreFirst: i32;
  /** 2 x i16: of the second digits */
  centreSecond: i32;
  /** Of the codes, the two lanes. */
  centreCodes0: i32;
  centreCodes1: i32;
  /** How many digits the codes of the block have: 1 or 2. */
  digits: i32;
  /** 2 x i16: of the second digits of the low columns. Those of the high ones are the rest of centreSecond. */
  lowCentreSecond: i32;
  /** 2 x i16: of the first digits */
  lowCentreFirst: i32;
  highCentreFirst: i32;
  /** d * the sum of the codes */
  lowScaledSum: f32;
  highScaledSum: f32;
}

/** Bytes of the facts of a block: 48. */
export const META_BYTES: i32 = <i32>offsetof<BlockMeta>();

/**
 * Bytes of a row of quantised activations, 5.5 per value. Rows lie in tiles of `width` token rows: 1 in decode, and
 * TILE_TOKENS where a matmul has several rows. With n = columns * width, a tile is
 *
 *   i8 first digits[n]    [columns / 4][width][4]
 *   i8 second digits[n]   the same
 *   i16 codes[n]          [columns / 4][pair 0..1][width][2], a pair being columns c and c + 2
 *   BlockMeta             [columns / 32][width]
 *
 * So one pointer with constant offsets serves all tokens of a tile, and four bytes are broadcast to all lanes.
 */
export function quantizedRowBytes(columns: i32): i32 {
  return 4 * columns + (columns / BLOCK) * META_BYTES;
}
