/**
 * Decoders of the ternary types: values -d, 0, d. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import type { TensorType } from "../src/formats/tensor-types.ts";
import type { BlockDecoder } from "./dequantize.ts";
import { f16Values } from "./half.ts";

export const ternaryDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["TQ1_0", decodeTQ1_0],
  ["TQ2_0", decodeTQ2_0],
];

/**
 * Five digits to base 3 a byte, 48 bytes @0, then four digits a byte, 4 bytes @48; d f16 @52.
 * A byte is ceil(number * 256 / 243), so that the digit in front is the integer part of 3 * byte / 256.
 */
function decodeTQ1_0(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at + 52, true)]!;
  let next = to;
  for (const [from, bytes, digits] of [
    [0, 32, 5],
    [32, 16, 5],
    [48, 4, 4],
  ] as const) {
    for (let digit = 0, power = 1; digit < digits; digit++, power *= 3) {
      for (let m = 0; m < bytes; m++) {
        const rest = (blocks.getUint8(at + from + m) * power) & 255;
        values[next++] = (((rest * 3) >>> 8) - 1) * d;
      }
    }
  }
}

/** 2-bit codes @0, laid out as in Q2_K; d f16 @64; value (code - 1) * d. */
function decodeTQ2_0(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at + 64, true)]!;
  for (let j = 0; j < 256; j++) {
    const code = (blocks.getUint8(at + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    values[to + j] = (code - 1) * d;
  }
}
