// How quantised activations lie in linear memory. kernels/quantize.ts says how the codes come about.
import { BLOCK } from "./layout";

/**
 * The facts about a block of 32 columns of one activation row besides its codes: 48 bytes. `d` is the block's scale.
 *
 * A centre is -8 times a sum of codes. A matmul of Q4_0 needs the sum of (code - 8) * x, with weight codes 0..15. It
 * begins its sum of code * x with the centre instead of with 0, so the subtraction costs nothing. Twice the centre does
 * the same for codes of 5 bits, and four times the centre for codes of 6 bits. Centres come in pairs, one per lane of
 * the product: columns 0, 1 (mod 4), then columns 2, 3 (mod 4). A pair of i16 is read as one 32-bit word. A centre of a
 * block's digits is at most 8 * 16 * 127 = 16,256, so doubled it is at most 32,512, and so is four times that of 16
 * columns.
 *
 * Weights with a scale per 16 columns read the fields of the block's low (first) and high (last) 16 columns; the low
 * and the high field are neighbours.
 */
@unmanaged
export class BlockMeta {
  /** The scale d: a value is d * code. */
  scale: f32;
  /** d times the sum of the codes. */
  scaledSum: f32;
  /** The centre of the first digits, 2 x i16. */
  centreFirst: i32;
  /** The centre of the second digits, 2 x i16. */
  centreSecond: i32;
  /** The centre of the codes: columns 0, 1 (mod 4). */
  centreCodes0: i32;
  /** The centre of the codes: columns 2, 3 (mod 4). */
  centreCodes1: i32;
  /** How many digits the codes of the block have: 1 or 2. */
  digits: i32;
  /**
   * The centre of the second digits of the low columns, 2 x i16. That of the high columns is centreSecond less this.
   */
  lowCentreSecond: i32;
  /** The centre of the first digits of the low columns, 2 x i16. */
  lowCentreFirst: i32;
  /** The centre of the first digits of the high columns, 2 x i16. */
  highCentreFirst: i32;
  /** d times the sum of the codes of the low columns. */
  lowScaledSum: f32;
  /** d times the sum of the codes of the high columns. */
  highScaledSum: f32;
}

/** Bytes of a BlockMeta: 48. */
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
 * With this order one pointer with constant offsets serves all tokens of a tile, and a kernel broadcasts four bytes to
 * all lanes.
 */
export function quantizedRowBytes(columns: i32): i32 {
  return 4 * columns + (columns / BLOCK) * META_BYTES;
}
