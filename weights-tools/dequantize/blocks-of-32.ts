/**
 * Decoders of the types whose blocks are 32 values with one scale (and minimum). In the comments, `@n` is a byte's offset
 * in the block. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import type { BlockDecoder, StoredBlock } from "./decoder.ts";

const { fround } = Math;

export const decodersOf32: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["Q4_0", decodeQ4_0],
  ["Q4_1", decodeQ4_1],
  ["Q5_0", decodeQ5_0],
  ["Q5_1", decodeQ5_1],
  ["Q8_0", decodeQ8_0],
];

/** d f16 @0, 4-bit codes @2: code j in the low nibble of byte j, code j + 16 in the high nibble. Value (code - 8) * d. */
function decodeQ4_0({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  for (let j = 0; j < 16; j++) {
    const byte = bytes.getUint8(at + 2 + j);
    values[to + j] = ((byte & 15) - 8) * d;
    values[to + j + 16] = ((byte >>> 4) - 8) * d;
  }
}

/** d f16 @0, m f16 @2, 4-bit codes @4. Value code * d + m. */
function decodeQ4_1({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  const m = f16Values()[bytes.getUint16(at + 2, true)]!;
  for (let j = 0; j < 16; j++) {
    const byte = bytes.getUint8(at + 4 + j);
    values[to + j] = fround((byte & 15) * d) + m;
    values[to + j + 16] = fround((byte >>> 4) * d) + m;
  }
}

/** d f16 @0, fifth bits u32 @2 (bit j belongs to code j), low four bits @6. Value (code - 16) * d. */
function decodeQ5_0({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  const high = bytes.getUint32(at + 2, true);
  for (let j = 0; j < 16; j++) {
    const byte = bytes.getUint8(at + 6 + j);
    values[to + j] = (((byte & 15) | (((high >>> j) & 1) << 4)) - 16) * d;
    values[to + j + 16] = (((byte >>> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16) * d;
  }
}

/** d f16 @0, m f16 @2, fifth bits u32 @4, low four bits @8. Value code * d + m. */
function decodeQ5_1({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  const m = f16Values()[bytes.getUint16(at + 2, true)]!;
  const high = bytes.getUint32(at + 4, true);
  for (let j = 0; j < 16; j++) {
    const byte = bytes.getUint8(at + 8 + j);
    values[to + j] = fround(((byte & 15) | (((high >>> j) & 1) << 4)) * d) + m;
    values[to + j + 16] = fround(((byte >>> 4) | (((high >>> (j + 16)) & 1) << 4)) * d) + m;
  }
}

/** d f16 @0, i8 codes @2. Value code * d. */
function decodeQ8_0({ bytes, at, values, to }: StoredBlock): void {
  const d = f16Values()[bytes.getUint16(at, true)]!;
  for (let j = 0; j < 32; j++) values[to + j] = bytes.getInt8(at + 2 + j) * d;
}
