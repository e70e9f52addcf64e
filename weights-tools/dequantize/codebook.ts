/**
 * Decoders of the types whose 4-bit codes are indices into a table of levels (a codebook). In the comments, `@n` is a
 * byte's offset in the block. Layouts: ggml/src/ggml-common.h.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { e2m1Doubled, e8m0Halved, nonLinear4Bit } from "../level-grids.ts";
import type { BlockDecoder, StoredBlock } from "./decoder.ts";

const { fround } = Math;

export const codebookDecoders: readonly (readonly [TensorType, BlockDecoder])[] = [
  ["IQ4_NL", decodeIQ4_NL],
  ["IQ4_XS", decodeIQ4_XS],
  ["MXFP4", decodeMXFP4],
];

/** Runs of 32 codes in a block: 16 bytes each, from `codesAt` on, packed as in Q4_0. */
interface Codes {
  readonly levels: Int8Array;
  readonly codesAt: number;
}
const codesIQ4_NL: Codes = { levels: nonLinear4Bit.levels, codesAt: 2 };
const codesIQ4_XS: Codes = { levels: nonLinear4Bit.levels, codesAt: 8 };
const codesMXFP4: Codes = { levels: e2m1Doubled.levels, codesAt: 1 };

/** d f16 @0, codes @2. Value d * level. */
function decodeIQ4_NL(block: StoredBlock): void {
  const d = f16Values()[block.bytes.getUint16(block.at, true)]!;
  lookUp(block, codesIQ4_NL, 0, d);
}

/**
 * d f16 @0; eight 6-bit scales: their high two bits in a u16 @2, their low four in nibbles @4; codes @8.
 * Value d * (scale - 32) * level.
 */
function decodeIQ4_XS(block: StoredBlock): void {
  const { bytes, at } = block;
  const d = f16Values()[bytes.getUint16(at, true)]!;
  const high = bytes.getUint16(at + 2, true);
  for (let run = 0; run < 8; run++) {
    const low = (bytes.getUint8(at + 4 + (run >>> 1)) >>> (4 * (run & 1))) & 15;
    const scale = fround(d * ((low | (((high >>> (2 * run)) & 3) << 4)) - 32));
    lookUp(block, codesIQ4_XS, run, scale);
  }
}

/** Exponent e @0, codes @1. Value 2^(e - 128) * level. */
function decodeMXFP4(block: StoredBlock): void {
  lookUp(block, codesMXFP4, 0, e8m0Halved(block.bytes.getUint8(block.at)));
}

/** The 32 values of a run of codes. */
function lookUp({ bytes, at, values, to }: StoredBlock, { levels, codesAt }: Codes, run: number, scale: number): void {
  const codes = at + codesAt + 16 * run;
  const first = to + 32 * run;
  for (let j = 0; j < 16; j++) {
    const byte = bytes.getUint8(codes + j);
    values[first + j] = scale * levels[byte & 15]!;
    values[first + j + 16] = scale * levels[byte >>> 4]!;
  }
}
