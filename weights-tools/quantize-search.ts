/**
 * Encoders that search for the least weighted error: all types that have no closed form worth keeping, and the others
 * when there is an importance matrix.
 * @module
 */
import type { TensorType } from "../src/formats/tensor-types.ts";
import { BlockFit, searchStarts } from "./block-fit.ts";
import { e8m0Half } from "./dequantize-table.ts";
import { exponentBits, f16Values, finiteF16 } from "./half.ts";
import {
  e2m1Doubled,
  type LevelGrid,
  nonLinear4Bit,
  signed4Bit,
  signed5Bit,
  signed8Bit,
  unsigned4Bit,
  unsigned5Bit,
} from "./level-grids.ts";
import { packNibbles } from "./pack-codes.ts";
import type { BlockEncoder } from "./quantize.ts";
import { superBlockTypes } from "./quantize-k.ts";
import { SuperBlockFit } from "./super-block-fit.ts";

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
      (values, from, blocks, at, importance, column) => {
        load(fit.block, values, from, shape.subBlock, shape.emphasis, importance, column);
        fit.run();
        pack(fit, blocks, at);
      },
    ];
  }),
];

/** Writes the 32 codes of a block. */
type Pack = (codes: Uint8Array, blocks: DataView, at: number) => void;

/** d f16, then codes. */
function scaleEncoder(grid: LevelGrid, pack: Pack): BlockEncoder {
  const fit = new BlockFit(grid, 32);
  const starts = searchStarts(grid, 8);
  const codes = new Uint8Array(32);
  return (values, from, blocks, at, importance, column) => {
    load(fit, values, from, 32, 2, importance, column);
    fit.select(0, 32);
    fit.fitScale(starts);
    const d = finiteF16(fit.scale);
    fit.encode(f16Values()[d]!, 0, codes);
    blocks.setUint16(at, d, true);
    pack(codes, blocks, at + 2);
  };
}

/** d f16, minimum f16 (to be added), then codes. */
function minimumEncoder(grid: LevelGrid, pack: Pack): BlockEncoder {
  const fit = new BlockFit(grid, 32);
  const starts = searchStarts(grid, 16);
  const codes = new Uint8Array(32);
  return (values, from, blocks, at, importance, column) => {
    load(fit, values, from, 32, 2, importance, column);
    fit.select(0, 32);
    fit.fitScaleAndMinimum(starts, true);
    const d = finiteF16(fit.scale);
    const m = finiteF16(-fit.minimum);
    fit.encode(f16Values()[d]!, -f16Values()[m]!, codes);
    blocks.setUint16(at, d, true);
    blocks.setUint16(at + 2, m, true);
    pack(codes, blocks, at + 4);
  };
}

/** The power of two by the peak, as the standard has it, or one of its neighbours. */
function encodeMXFP4(): BlockEncoder {
  const fit = new BlockFit(e2m1Doubled, 32);
  const codes = new Uint8Array(32);
  return (values, from, blocks, at, importance, column) => {
    load(fit, values, from, 32, 2, importance, column);
    fit.select(0, 32);
    let exponent = 0;
    let best = 0;
    // The largest level is 12 units of 2^(e - 128): a peak of 8 .. 16 units has 2^(e - 125) in front.
    const usual = exponentBits(Math.max(fit.highest, -fit.lowest)) - 2;
    for (let e = Math.max(0, usual - 1); e <= Math.min(largestExponent, usual + 1); e++) {
      fit.project(e8m0Half(e), 0);
      const error = fit.errorWith(e8m0Half(e), 0);
      if (!(error < best)) continue;
      best = error;
      exponent = e;
    }
    fit.encode(e8m0Half(exponent), 0, codes);
    blocks.setUint8(at, exponent);
    packCodes(codes, blocks, at + 1);
  };
}

/** Beyond it the largest level is no float32. */
const largestExponent = 252;

function packCodes(codes: Uint8Array, blocks: DataView, at: number): void {
  packNibbles(codes, 16, blocks, at);
}

function packCodesAndFifths(codes: Uint8Array, blocks: DataView, at: number): void {
  let fifths = 0;
  for (let j = 0; j < 32; j++) fifths |= (codes[j]! >>> 4) << j;
  blocks.setUint32(at, fifths, true);
  packNibbles(codes, 16, blocks, at + 4);
}

function packBytes(codes: Uint8Array, blocks: DataView, at: number): void {
  for (let j = 0; j < 32; j++) blocks.setInt8(at + j, codes[j]! - 127);
}

/**
 * Fills a fit with the block at `from`.
 *
 * The importance is how much a column's squared error counts, and nothing else. Without one large weights count more
 * than small ones, as in ggml's quantisers: they meet large activations more often than chance has it. ggml takes
 * weight^2 (|weight| + rms for types with a minimum), which costs small weights dearly; adding the mean square keeps both
 * its error and the plain one below ggml's. A sub-block whose importance is all zero is treated as if there were none.
 */
function load(
  { values: into, weights }: BlockFit,
  values: Float32Array,
  from: number,
  subBlock: number,
  emphasis: 1 | 2,
  importance: Float32Array | undefined,
  column: number,
): void {
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
