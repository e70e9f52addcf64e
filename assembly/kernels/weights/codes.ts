// Codes of 4, 5 and 6 bits in a step of eight columns (layout.ts, tileBytes). The type parameter P stands for the planes of
// high bits: u8 for none, u16 for one, u32 for two. Loops are compiled for each of them.

/** Masks, in memory because V8 rebuilds a v128.const at each use. */
const MASKS: usize = memory.data<u32>([0, 0x10101010, 0x30303030], 4);
const FIELDS: usize = memory.data<u32>([0, 0x01010101, 0x03030303], 4);

/** How many planes P stands for. */
export function planesOf<P>(): i32 {
  return sizeof<P>() >> 1;
}

/** Bytes of a step. */
export function stepBytes<P>(): usize {
  return 64 + 16 * (sizeof<P>() >> 1);
}

/** The high bits of a code: bit 4, or bits 4 and 5. */
export function highMask<P>(): v128 {
  return v128.load32_splat(MASKS + ((sizeof<P>() >> 1) << 2));
}

/** The plane that holds the high bits of `quad`, of a step at `at`. */
export function plane<P>(at: usize, quad: i32): v128 {
  if (sizeof<P>() == 1) return i32x4.splat(0);
  return v128.load(at + 64 + (sizeof<P>() == 4 ? (<usize>(quad >> 1)) << 4 : 0));
}

/**
 * Codes of the first four columns.
 * @param v the vector of the quad   @param bits the plane of the quad   @param mask nibbleMask   @param high highMask
 */
export function firstCodes<P>(v: v128, bits: v128, quad: i32, mask: v128, high: v128): v128 {
  return withHigh<P>(v128.and(v, mask), bits, 2 * quad, high);
}

/** Codes of the last four columns. The parameters are those of `firstCodes`. */
export function lastCodes<P>(v: v128, bits: v128, quad: i32, mask: v128, high: v128): v128 {
  return withHigh<P>(v128.and(i16x8.shr_u(v, 4), mask), bits, 2 * quad + 1, high);
}

/**
 * Nibbles with the high bits of field `field`. i16 shifts serve for bytes, because the mask removes the bits that cross
 * over.
 */
function withHigh<P>(nibbles: v128, bits: v128, field: i32, high: v128): v128 {
  if (sizeof<P>() == 1) return nibbles;
  const left = 4 - (sizeof<P>() == 4 ? (2 * field) & 7 : field);
  return v128.or(nibbles, v128.and(left >= 0 ? i16x8.shl(bits, left) : i16x8.shr_u(bits, -left), high));
}

/** The lowest field of every byte of a plane: 1 or 2 bits. */
export function fieldMask<P>(): v128 {
  return v128.load32_splat(FIELDS + ((sizeof<P>() >> 1) << 2));
}

/** Nibbles with the high bits of field `field`, 0 to 7, where that is known at run time only. @param low fieldMask */
export function codesAt<P>(nibbles: v128, bits: v128, field: i32, low: v128): v128 {
  if (sizeof<P>() == 1) return nibbles;
  const shift = sizeof<P>() == 4 ? (2 * field) & 7 : field;
  return v128.or(nibbles, i16x8.shl(v128.and(i16x8.shr_u(bits, shift), low), 4));
}

/** The levels of nibbles. Indices are below 16, for which the relaxed instruction is the same on every engine. */
export function levels(table: v128, nibbles: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, nibbles);
  return i8x16.swizzle(table, nibbles);
}
