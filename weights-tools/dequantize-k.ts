/**
 * Decoders of the K types: blocks of 256 values, each sub-block of 16 or 32 with a small integer scale (and minimum) of
 * its own. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import type { TensorType } from "../src/formats/tensor-types.ts";
import type { BlockDecoder } from "./dequantize.ts";
import { f16Values } from "./half.ts";

const { fround } = Math;

export const kDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["Q2_K", decodeQ2_K],
  ["Q3_K", decodeQ3_K],
  ["Q4_K", (blocks, at, values, to) => decodeWithMinimum(blocks, at, values, to, 0)],
  ["Q5_K", (blocks, at, values, to) => decodeWithMinimum(blocks, at, values, to, 32)],
  ["Q6_K", decodeQ6_K],
];

/**
 * 16 bytes (scale in the low half, minimum in the high half) @0, 2-bit codes @16, d f16 @80, dmin f16 @82;
 * value d * scale * code - dmin * minimum. Byte l of a half's 32 holds values l, l + 32, l + 64, l + 96 of that half.
 */
function decodeQ2_K(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at + 80, true)]!;
  const dmin = f16Values()[blocks.getUint16(at + 82, true)]!;
  for (let j = 0; j < 256; j++) {
    const packed = blocks.getUint8(at + (j >>> 4));
    const code = (blocks.getUint8(at + 16 + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    values[to + j] = fround(fround(d * (packed & 15)) * code) - fround(dmin * (packed >>> 4));
  }
}

/**
 * Third bits @0 (bit j / 32 of byte j % 32), low two bits @32 as in Q2_K, sixteen 6-bit scales @96, d f16 @108;
 * value d * (scale - 32) * (code - 4).
 */
function decodeQ3_K(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at + 108, true)]!;
  for (let j = 0; j < 256; j++) {
    const low = (blocks.getUint8(at + 32 + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    const high = (blocks.getUint8(at + (j & 31)) >>> (j >>> 5)) & 1;
    values[to + j] = fround(d * (scaleQ3_K(blocks, at + 96, j >>> 4) - 32)) * ((low | (high << 2)) - 4);
  }
}

/** Scale j of 16: low four bits in bytes 0 .. 7 (j >= 8: their high half), two more in bytes 8 .. 11. */
function scaleQ3_K(blocks: DataView, at: number, j: number): number {
  const low = (blocks.getUint8(at + (j & 7)) >>> (j < 8 ? 0 : 4)) & 15;
  const high = (blocks.getUint8(at + 8 + (j & 3)) >>> (2 * (j >>> 2))) & 3;
  return low | (high << 4);
}

/**
 * Q4_K and Q5_K: d f16 @0, dmin f16 @2, eight 6-bit scales and minima @4, fifth bits @16 (Q5_K only: bit j / 32 of byte
 * j % 32), then low four bits: byte l of a quarter's 32 holds values l and l + 32 of it.
 * Value d * scale * code - dmin * minimum.
 */
function decodeWithMinimum(blocks: DataView, at: number, values: Float32Array, to: number, fifthBytes: 0 | 32): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  const dmin = f16Values()[blocks.getUint16(at + 2, true)]!;
  const fifthsAt = at + 16;
  const codesAt = fifthsAt + fifthBytes;
  for (let block = 0; block < 8; block++) {
    const scale = fround(d * packedScale(blocks, at + 4, block));
    const minimum = fround(dmin * packedMinimum(blocks, at + 4, block));
    for (let l = 0; l < 32; l++) {
      let code = (blocks.getUint8(codesAt + (block >>> 1) * 32 + l) >>> (4 * (block & 1))) & 15;
      if (fifthBytes > 0) code |= ((blocks.getUint8(fifthsAt + l) >>> block) & 1) << 4;
      values[to + block * 32 + l] = fround(scale * code) - minimum;
    }
  }
}

/** Scales 0 .. 3 lie in the low six bits of bytes 0 .. 3; of 4 .. 7 the high two bits lie above them, the rest in bytes 8 .. 11. */
function packedScale(blocks: DataView, at: number, j: number): number {
  if (j < 4) return blocks.getUint8(at + j) & 63;
  return (blocks.getUint8(at + j + 4) & 15) | ((blocks.getUint8(at + j - 4) >>> 6) << 4);
}

/** Minima: the same, in bytes 4 .. 7 and the high halves of bytes 8 .. 11. */
function packedMinimum(blocks: DataView, at: number, j: number): number {
  if (j < 4) return blocks.getUint8(at + j + 4) & 63;
  return (blocks.getUint8(at + j + 4) >>> 4) | ((blocks.getUint8(at + j) >>> 6) << 4);
}

/**
 * Low four bits @0, high two bits @128, sixteen i8 scales @192, d f16 @208; value d * scale * (code - 32).
 * A half of 128 values takes 64 and 32 bytes: bytes l and l + 32 hold values l, l + 32 (low) and l + 64, l + 96 (high).
 */
function decodeQ6_K(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at + 208, true)]!;
  for (let j = 0; j < 256; j++) {
    const half = j >>> 7;
    const quarter = (j >>> 5) & 3;
    const low = (blocks.getUint8(at + half * 64 + (j & 63)) >>> (quarter < 2 ? 0 : 4)) & 15;
    const high = (blocks.getUint8(at + 128 + half * 32 + (j & 31)) >>> (2 * quarter)) & 3;
    values[to + j] = fround(d * blocks.getInt8(at + 192 + (j >>> 4))) * ((low | (high << 4)) - 32);
  }
}
