/**
 * Decoders of the types whose 4-bit codes point into a table. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import type { TensorType } from "../src/formats/tensor-types.ts";
import type { BlockDecoder } from "./dequantize.ts";
import { f16Values } from "./half.ts";
import { e2m1Doubled, nonLinear4Bit } from "./level-grids.ts";

const { fround } = Math;

export const tableDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["IQ4_NL", decodeIQ4_NL],
  ["IQ4_XS", decodeIQ4_XS],
  ["MXFP4", decodeMXFP4],
];

/** d f16 @0, codes @2 as in Q4_0; value d * level. */
function decodeIQ4_NL(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  lookUp(blocks, at + 2, nonLinear4Bit.levels, d, values, to);
}

/**
 * d f16 @0; eight 6-bit scales: high two bits in a u16 @2, low four in nibbles @4; codes @8, 16 bytes for 32 values as
 * in Q4_0; value d * (scale - 32) * level.
 */
function decodeIQ4_XS(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  const high = blocks.getUint16(at + 2, true);
  for (let block = 0; block < 8; block++) {
    const low = (blocks.getUint8(at + 4 + (block >>> 1)) >>> (4 * (block & 1))) & 15;
    const scale = fround(d * ((low | (((high >>> (2 * block)) & 3) << 4)) - 32));
    lookUp(blocks, at + 8 + 16 * block, nonLinear4Bit.levels, scale, values, to + 32 * block);
  }
}

/** Exponent e @0, codes @1 as in Q4_0; value 2^(e - 128) * level: half of 2^(e - 127), as the levels are doubled. */
function decodeMXFP4(blocks: DataView, at: number, values: Float32Array, to: number): void {
  lookUp(blocks, at + 1, e2m1Doubled.levels, e8m0Half(blocks.getUint8(at)), values, to);
}

/** 2^(exponent - 128), a float32 for all of 0 .. 255. ggml too reads 255 as a number; the standard says NaN. */
export function e8m0Half(exponent: number): number {
  return 2 ** (exponent - 128);
}

function lookUp(blocks: DataView, at: number, levels: Int8Array, d: number, values: Float32Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = blocks.getUint8(at + j);
    values[to + j] = d * levels[byte & 15]!;
    values[to + j + 16] = d * levels[byte >>> 4]!;
  }
}
