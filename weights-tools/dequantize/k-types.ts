/**
 * Decoders of the K types: a block has 256 values, and each of its sub-blocks of 16 or 32 values has a small integer
 * scale (and minimum) of its own. In the comments, `@n` is a byte's offset in the block. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import type { BlockDecoder, StoredBlock } from "./decoder.ts";

const { fround } = Math;

export const kDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["Q2_K", decodeQ2_K],
  ["Q3_K", decodeQ3_K],
  ["Q4_K", (block) => decodeWithMinimum(block, 0)],
  ["Q5_K", (block) => decodeWithMinimum(block, 32)],
  ["Q6_K", decodeQ6_K],
];

/**
 * 16 bytes (scale in the low nibble, minimum in the high nibble) @0, 2-bit codes @16, d f16 @80, dmin f16 @82.
 * Value d * scale * code - dmin * minimum. Each 128 values have 32 bytes of codes: byte l holds values l, l + 32, l + 64
 * and l + 96 of them.
 */
function decodeQ2_K({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at + 80, true)]!;
  const dmin = f16Values()[bytes.getUint16(at + 82, true)]!;
  for (let j = 0; j < 256; j++) {
    const packed = bytes.getUint8(at + (j >>> 4));
    const code = (bytes.getUint8(at + 16 + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    values[to + j] = fround(fround(d * (packed & 15)) * code) - fround(dmin * (packed >>> 4));
  }
}

/**
 * Third bits @0 (bit j / 32 of byte j % 32), low two bits @32 as in Q2_K, sixteen 6-bit scales @96, d f16 @108.
 * Value d * (scale - 32) * (code - 4).
 */
function decodeQ3_K({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at + 108, true)]!;
  for (let j = 0; j < 256; j++) {
    const low = (bytes.getUint8(at + 32 + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    const high = (bytes.getUint8(at + (j & 31)) >>> (j >>> 5)) & 1;
    values[to + j] = fround(d * (scaleQ3_K(bytes, at + 96, j >>> 4) - 32)) * ((low | (high << 2)) - 4);
  }
}

/** Scale j of 16: its low four bits are a nibble of bytes 0 .. 7 (the high one for j >= 8), two more lie in bytes 8 .. 11. */
function scaleQ3_K(bytes: DataView, at: number, j: number): number {
  const low = (bytes.getUint8(at + (j & 7)) >>> (j < 8 ? 0 : 4)) & 15;
  const high = (bytes.getUint8(at + 8 + (j & 3)) >>> (2 * (j >>> 2))) & 3;
  return low | (high << 4);
}

/**
 * Q4_K and Q5_K: d f16 @0, dmin f16 @2, eight 6-bit scales and minima @4, fifth bits @16 (Q5_K only: bit j / 32 of byte
 * j % 32), then low four bits: of each 64 values, byte l of 32 holds values l and l + 32.
 * Value d * scale * code - dmin * minimum.
 */
function decodeWithMinimum({ bytes, at, values, to }: StoredBlock, fifthBytes: 0 | 32): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  const dmin = f16Values()[bytes.getUint16(at + 2, true)]!;
  const fifthsAt = at + 16;
  const codesAt = fifthsAt + fifthBytes;
  for (let block = 0; block < 8; block++) {
    const scale = fround(d * packedScale(bytes, at + 4, block));
    const minimum = fround(dmin * packedMinimum(bytes, at + 4, block));
    for (let l = 0; l < 32; l++) {
      let code = (bytes.getUint8(codesAt + (block >>> 1) * 32 + l) >>> (4 * (block & 1))) & 15;
      if (fifthBytes > 0) code |= ((bytes.getUint8(fifthsAt + l) >>> block) & 1) << 4;
      values[to + block * 32 + l] = fround(scale * code) - minimum;
    }
  }
}

/** Scales 0 .. 3 are the low six bits of bytes 0 .. 3. Scales 4 .. 7 have their high two bits above those, the others in bytes 8 .. 11. */
function packedScale(bytes: DataView, at: number, j: number): number {
  if (j < 4) return bytes.getUint8(at + j) & 63;
  return (bytes.getUint8(at + j + 4) & 15) | ((bytes.getUint8(at + j - 4) >>> 6) << 4);
}

/** Minima lie likewise, in bytes 4 .. 7 and the high nibbles of bytes 8 .. 11. */
function packedMinimum(bytes: DataView, at: number, j: number): number {
  if (j < 4) return bytes.getUint8(at + j + 4) & 63;
  return (bytes.getUint8(at + j + 4) >>> 4) | ((bytes.getUint8(at + j) >>> 6) << 4);
}

/**
 * Low four bits @0, high two bits @128, sixteen i8 scales @192, d f16 @208. Value d * scale * (code - 32).
 * Each 128 values take 64 bytes of low and 32 of high bits. Of the 64, bytes l and l + 32 hold values l and l + 32 in
 * their low nibbles, l + 64 and l + 96 in their high ones.
 */
function decodeQ6_K({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at + 208, true)]!;
  for (let j = 0; j < 256; j++) {
    const run = j >>> 7; // of 128 values
    const quarter = (j >>> 5) & 3;
    const low = (bytes.getUint8(at + run * 64 + (j & 63)) >>> (quarter < 2 ? 0 : 4)) & 15;
    const high = (bytes.getUint8(at + 128 + run * 32 + (j & 31)) >>> (2 * quarter)) & 3;
    values[to + j] = fround(d * bytes.getInt8(at + 192 + (j >>> 4))) * ((low | (high << 4)) - 32);
  }
}
