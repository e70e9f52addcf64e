/**
 * Encoders that search for the least weighted error: those of all types without a closed form, and those that the other
 * types use when there is an importance matrix.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import {
  e2m1Doubled,
  e8m0Halved,
  type LevelGrid,
  nonLinear4Bit,
  signed4Bit,
  signed5Bit,
  signed8Bit,
  unsigned4Bit,
  unsigned5Bit,
} from "../level-grids.ts";
import { BlockFit, initialSpans } from "./block-fit.ts";
import type { BlockEncoder, ValuesOfBlock } from "./encoder.ts";
import { exponentBits, finiteF16 } from "./float-bits.ts";
import { packNibbles } from "./pack-codes.ts";
import { SuperBlockFit, type SuperBlockShape } from "./super-block-fit.ts";
import { superBlockTypes } from "./super-blocks.ts";

export const searchEncoders: readonly (readonly [TensorType, BlockEncoder])[] = [
  ["Q4_0", scaleEncoder(signed4Bit, packCodes)],
  ["Q5_0", scaleEncoder(signed5Bit, packCodesAndFifths)],
  ["Q8_0", scaleEncoder(signed8Bit, packBytes)],
  ["IQ4_NL", scaleEncoder(nonLinear4Bit, packCodes)],
  ["Q4_1", minimumEncoder(unsigned4Bit, packCodes)],
  ["Q5_1", minimumEncoder(unsigned5Bit, packCodesAndFifths)],
  ["MXFP4", encodeMXFP4()],
  ...[...superBlockTypes].map(([type, { shape, pack }]): [TensorType, BlockEncoder] => {
    const fit = new SuperBlockFit(shape);
    return [
      type,
      (block) => {
        weigh(fit.block, block, shape);
        fit.run();
        pack(fit, block.bytes, block.at);
      },
    ];
  }),
];

/** Writes the 32 codes of a block. */
type Pack = (codes: Uint8Array, bytes: DataView, at: number) => void;

/** Makes the encoder of blocks of the form d (f16), codes. */
function scaleEncoder(grid: LevelGrid, pack: Pack): BlockEncoder {
  const fit = new BlockFit(grid, 32);
  const spans = initialSpans(grid, 8);
  const codes = new Uint8Array(32);
  return (block) => {
    const { bytes, at } = block;
    weigh(fit, block, wholeBlock);
    fit.select(0, 32);
    fit.fitScale(spans);
    const d = finiteF16(fit.scale);
    fit.encode(f16Values()[d]!, 0, codes);
    bytes.setUint16(at, d, true);
    pack(codes, bytes, at + 2);
  };
}

/** Makes the encoder of blocks of the form d (f16), minimum (f16, which is added), codes. */
function minimumEncoder(grid: LevelGrid, pack: Pack): BlockEncoder {
  const fit = new BlockFit(grid, 32);
  const spans = initialSpans(grid, 16);
  const codes = new Uint8Array(32);
  return (block) => {
    const { bytes, at } = block;
    weigh(fit, block, wholeBlock);
    fit.select(0, 32);
    fit.fitScaleAndMinimum(spans, true);
    const d = finiteF16(fit.scale);
    const m = finiteF16(-fit.minimum);
    fit.encode(f16Values()[d]!, -f16Values()[m]!, codes);
    bytes.setUint16(at, d, true);
    bytes.setUint16(at + 2, m, true);
    pack(codes, bytes, at + 4);
  };
}

/**
 * Makes MXFP4's encoder. It takes the power of two that the standard derives from the peak, or the better of its two
 * neighbours.
 */
function encodeMXFP4(): BlockEncoder {
  const fit = new BlockFit(e2m1Doubled, 32);
  const codes = new Uint8Array(32);
  return (block) => {
    const { bytes, at } = block;
    weigh(fit, block, wholeBlock);
    fit.select(0, 32);
    let exponent = 0;
    let best = 0;
    // The largest level is 12 units of 2^(e - 128): a peak of 8 .. 16 units has 2^(e - 125) in front.
    const usual = exponentBits(Math.max(fit.highest, -fit.lowest)) - 2;
    for (let e = Math.max(0, usual - 1); e <= Math.min(largestExponent, usual + 1); e++) {
      fit.project(e8m0Halved(e), 0);
      const error = fit.errorWith(e8m0Halved(e), 0);
      if (!(error < best)) continue;
      best = error;
      exponent = e;
    }
    fit.encode(e8m0Halved(exponent), 0, codes);
    bytes.setUint8(at, exponent);
    packCodes(codes, bytes, at + 1);
  };
}

/** The largest exponent with which the largest level still fits float32. */
const largestExponent = 252;

function packCodes(codes: Uint8Array, bytes: DataView, at: number): void {
  packNibbles(codes, 16, bytes, at);
}

function packCodesAndFifths(codes: Uint8Array, bytes: DataView, at: number): void {
  let fifths = 0;
  for (let j = 0; j < 32; j++) fifths |= (codes[j]! >>> 4) << j;
  bytes.setUint32(at, fifths, true);
  packNibbles(codes, 16, bytes, at + 4);
}

function packBytes(codes: Uint8Array, bytes: DataView, at: number): void {
  for (let j = 0; j < 32; j++) bytes.setInt8(at + j, codes[j]! - 127);
}

/** The values that are weighed together, and the emphasis on large ones (see `SuperBlockShape`). */
type Weighing = Pick<SuperBlockShape, "subBlock" | "emphasis">;
const wholeBlock: Weighing = { subBlock: 32, emphasis: 2 };

/**
 * Fills a fit with a block's values and the weights of their squared errors.
 *
 * An importance is that weight, by column. Without one large values count more than small ones, as in ggml's quantisers:
 * they meet large activations more often than chance would have it. ggml takes value^2 (|value| + rms for types with a
 * minimum), which makes the errors of small values large. Adding the mean square (for types with a minimum, the rms)
 * keeps both ggml's measure of the error and the plain one below those of ggml. A sub-block whose importance is all
 * zero is treated as if there were none.
 */
function weigh({ values: into, weights }: BlockFit, block: ValuesOfBlock, { subBlock, emphasis }: Weighing): void {
  const { values, from, importance, column } = block;
  for (let i = 0; i < into.length; i++) into[i] = values[from + i]!;
  for (let start = 0; start < into.length; start += subBlock) {
    const end = start + subBlock;
    let sum = 0;
    if (importance !== undefined) {
      for (let i = start; i < end; i++) {
        weights[i] = importance[column + i]!;
        sum += weights[i]!;
      }
    }
    if (sum > 0) continue;
    let squares = 0;
    for (let i = start; i < end; i++) squares += into[i]! * into[i]!;
    const mean = emphasis === 2 ? squares / subBlock : Math.sqrt(squares / subBlock);
    for (let i = start; i < end; i++) weights[i] = mean + (emphasis === 2 ? into[i]! * into[i]! : Math.abs(into[i]!));
  }
}
