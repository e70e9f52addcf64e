// Blocks as they lie in a GGUF, one value at a time (ggml/src/ggml-common.h). `j` is a column: 0..31 or 0..255.
import { IQ4_XS, MXFP4, Q2_K, Q3_K, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K } from "../../weight-types";

function byteAt(at: usize, i: i32): i32 {
  return <i32>load<u8>(at + <usize>i);
}

/** Bit `i` of a field of bytes. */
function bitAt(at: usize, i: i32): i32 {
  return (byteAt(at, i / 8) >> (i % 8)) & 1;
}

/** Code `j` of 32 in 16 bytes: the low nibbles first. */
function nibbleAt(at: usize, j: i32): i32 {
  return j < 16 ? byteAt(at, j) % 16 : byteAt(at, j - 16) / 16;
}

/** Code `j` of a block. 4 is added to codes of Q3_K, so that 8 stands for 0. */
export function codeOfBlock(block: usize, type: i32, j: i32): i32 {
  if (type == Q5_0) return nibbleAt(block + 6, j) + 16 * bitAt(block + 2, j);
  if (type == Q5_1) return nibbleAt(block + 8, j) + 16 * bitAt(block + 4, j);
  if (type == MXFP4) return nibbleAt(block + 1, j);
  if (type == IQ4_XS) return nibbleAt(block + <usize>(8 + 16 * (j / 32)), j % 32);
  const half = j / 128;
  const quarter = (j % 128) / 32;
  const l = j % 32;
  const two = 2 * quarter; // where a byte of four 2-bit fields has this one
  if (type == Q2_K) return (byteAt(block + 16, 32 * half + l) >> two) % 4;
  if (type == Q3_K) {
    const high = (byteAt(block, l) >> (4 * half + quarter)) % 2;
    return ((byteAt(block + 32, 32 * half + l) >> two) % 4) + 4 * high + 4;
  }
  if (type == Q4_K || type == Q5_K) {
    const codes = block + (type == Q4_K ? 16 : 48);
    const byte = byteAt(codes, 32 * (j / 64) + l);
    const low = (j / 32) % 2 == 0 ? byte % 16 : byte / 16;
    return type == Q4_K ? low : low + 16 * ((byteAt(block + 16, l) >> (j / 32)) % 2);
  }
  if (type == Q6_K) {
    const byte = byteAt(block, 64 * half + 32 * (quarter % 2) + l);
    return (quarter < 2 ? byte % 16 : byte / 16) + 16 * ((byteAt(block + 128, 32 * half + l) >> two) % 4);
  }
  return nibbleAt(block + 2, j); // IQ4_NL
}

/** Scale `s` of a super-block, a small integer. Q3_K, Q4_K, Q5_K and IQ4_XS keep its bits in two places. */
export function smallScale(block: usize, type: i32, s: i32): i32 {
  if (type == Q2_K) return byteAt(block, s) % 16;
  if (type == Q6_K) return <i32>load<i8>(block + 192 + <usize>s);
  if (type == Q3_K) {
    const byte = byteAt(block + 96, s % 8);
    return (s < 8 ? byte % 16 : byte / 16) + 16 * ((byteAt(block + 104, s % 4) >> (2 * (s / 4))) % 4) - 32;
  }
  if (type == IQ4_XS) {
    const byte = byteAt(block + 4, s / 2);
    return (s % 2 == 0 ? byte % 16 : byte / 16) + 16 * ((<i32>load<u16>(block, 2) >> (2 * s)) % 4) - 32;
  }
  const packed = block + 4;
  return s < 4 ? byteAt(packed, s) % 64 : (byteAt(packed, s + 4) % 16) + 16 * (byteAt(packed, s - 4) / 64);
}

/** Minimum `s` of a super-block, a small integer. */
export function smallMinimum(block: usize, type: i32, s: i32): i32 {
  if (type == Q2_K) return byteAt(block, s) / 16;
  const packed = block + 4;
  return s < 4 ? byteAt(packed, s + 4) % 64 : byteAt(packed, s + 4) / 16 + 16 * (byteAt(packed, s) / 64);
}
