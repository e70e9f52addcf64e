/**
 * Decoders of the ternary types, whose values are -d, 0 and d. In the comments, `@n` is a byte's offset in the block.
 * Layouts: ggml/src/ggml-common.h.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import type { BlockDecoder, StoredBlock } from "./decoder.ts";

export const ternaryDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["TQ1_0", decodeTQ1_0],
  ["TQ2_0", decodeTQ2_0],
];

/**
 * Five digits to base 3 per byte, 48 bytes @0, then four digits per byte, 4 bytes @48, d f16 @52. A byte holds
 * ceil(number * 256 / 243), so that the leading digit is the integer part of 3 * byte / 256.
 */
function decodeTQ1_0({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at + 52, true)]!;
  let next = to;
  for (const [from, count, digits] of [
    [0, 32, 5],
    [32, 16, 5],
    [48, 4, 4],
  ] as const) {
    for (let digit = 0, power = 1; digit < digits; digit++, power *= 3) {
      for (let m = 0; m < count; m++) {
        const rest = (bytes.getUint8(at + from + m) * power) & 255;
        values[next++] = (((rest * 3) >>> 8) - 1) * d;
      }
    }
  }
}

/** 2-bit codes @0, laid out as in Q2_K; d f16 @64. Value (code - 1) * d. */
function decodeTQ2_0({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at + 64, true)]!;
  for (let j = 0; j < 256; j++) {
    const code = (bytes.getUint8(at + (j >>> 7) * 32 + (j & 31)) >>> (2 * ((j >>> 5) & 3))) & 3;
    values[to + j] = (code - 1) * d;
  }
}
