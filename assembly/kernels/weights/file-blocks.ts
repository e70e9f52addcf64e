import { IQ4_NL, IQ4_XS, Q2_K, Q3_K, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K } from "../../weight-types";

// Blocks of the types whose scales lie before the codes of a group in memory, as a GGUF file has them
// (ggml/src/ggml-common.h).

const NIBBLES: u32 = 0x0f0f0f0f;

/** The nibbles of columns 4 i .. 4 i + 3 of 32; byte j holds column j (low) and column j + 16 (high). */
function nibbles(at: usize, i: i32): u32 {
  return (load<u32>(at + ((<usize>(i & 3)) << 2)) >> <u32>(i & 4)) & NIBBLES;
}

/** Bits 0 .. 3 of `bits` as the fifth bits of four codes. */
function fifths(bits: u32): u32 {
  return (((bits & 15) * 0x00204081) & 0x01010101) << 4;
}

/**
 * The codes of columns 4 i .. 4 i + 3 of a block, one per byte. 4 is added to codes of Q3_K, so that they lie in 4..11
 * and 8 stands for 0, as in all codes of 4 bits.
 */
export function fileCodes(block: usize, type: i32, i: i32): u32 {
  const within = (<usize>(i & 7)) << 2; // byte of the 32 columns
  const part = i >> 3; // which 32 columns
  const upper128 = <usize>(part >> 2); // which 128 columns
  switch (type) {
    case Q5_0:
      return nibbles(block + 6, i) | fifths(load<u32>(block, 2) >> (i << 2));
    case Q5_1:
      return nibbles(block + 8, i) | fifths(load<u32>(block, 4) >> (i << 2));
    case Q2_K:
      return (load<u32>(block + 16 + (upper128 << 5) + within) >> ((part & 3) << 1)) & 0x03030303;
    case Q3_K: {
      const low = (load<u32>(block + 32 + (upper128 << 5) + within) >> ((part & 3) << 1)) & 0x03030303;
      return (low | (((load<u32>(block + within) >> part) & 0x01010101) << 2)) + 0x04040404;
    }
    case Q4_K:
      return (load<u32>(block + 16 + ((<usize>(part >> 1)) << 5) + within) >> ((part & 1) << 2)) & NIBBLES;
    case Q5_K: {
      const low = (load<u32>(block + 48 + ((<usize>(part >> 1)) << 5) + within) >> ((part & 1) << 2)) & NIBBLES;
      return low | (((load<u32>(block + 16 + within) >> part) & 0x01010101) << 4);
    }
    case Q6_K: {
      const bytes = block + (upper128 << 6) + ((<usize>(part & 1)) << 5) + within;
      const low = (load<u32>(bytes) >> ((part & 2) << 1)) & NIBBLES;
      return low | (((load<u32>(block + 128 + (upper128 << 5) + within) >> ((part & 3) << 1)) & 0x03030303) << 4);
    }
    case IQ4_NL:
      return nibbles(block + 2, i);
    case IQ4_XS:
      return nibbles(block + 8 + ((<usize>part) << 4), i & 7);
    default:
      return nibbles(block + 1, i);
  }
}

/** Scale `j` of a super-block, by which its f16 is multiplied. */
export function fileScale(block: usize, type: i32, j: i32): i32 {
  const at = <usize>j;
  switch (type) {
    case Q2_K:
      return <i32>load<u8>(block + at) & 15;
    case Q3_K: {
      const low = <i32>load<u8>(block + 96 + (at & 7)) >> ((j >> 3) << 2);
      const high = <i32>load<u8>(block + 104 + (at & 3)) >> ((j >> 2) << 1);
      return ((low & 15) | ((high & 3) << 4)) - 32;
    }
    case Q6_K:
      return load<i8>(block + 192 + at);
    case IQ4_XS: {
      const low = <i32>load<u8>(block + 4 + (at >> 1)) >> ((j & 1) << 2);
      return ((low & 15) | (((<i32>load<u16>(block, 2) >> (j << 1)) & 3) << 4)) - 32;
    }
    default: // Q4_K, Q5_K: twelve bytes hold eight scales and eight minima of 6 bits
      if (j < 4) return <i32>load<u8>(block + 4 + at) & 63;
      return (<i32>load<u8>(block + 8 + at) & 15) | ((<i32>load<u8>(block + at) >> 6) << 4);
  }
}

/** Minimum `j` of a super-block, by which its f16 of minima is multiplied. */
export function fileMinimum(block: usize, type: i32, j: i32): i32 {
  const at = <usize>j;
  if (type == Q2_K) return <i32>load<u8>(block + at) >> 4;
  if (j < 4) return <i32>load<u8>(block + 8 + at) & 63;
  return (<i32>load<u8>(block + 8 + at) >> 4) | ((<i32>load<u8>(block + 4 + at) >> 6) << 4);
}
