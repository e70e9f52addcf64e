/**
 * Encoders of the K types and IQ4_XS: the shape of each, and how it packs what SuperBlockFit found. Layouts: see
 * ../dequantize/k-types.ts and codebook.ts.
 * @module
 */
import type { TensorType } from "../../src/formats/tensor-types.ts";
import {
  type LevelGrid,
  nonLinear4Bit,
  signed3Bit,
  signed6Bit,
  unsigned2Bit,
  unsigned4Bit,
  unsigned5Bit,
} from "../level-grids.ts";
import { packBitPairs, packBits, packNibbles } from "./pack-codes.ts";
import type { SuperBlockFit, SuperBlockShape } from "./super-block-fit.ts";

type Pack = (fit: SuperBlockFit, bytes: DataView, at: number) => void;

export const superBlockTypes: ReadonlyMap<TensorType, { shape: SuperBlockShape; pack: Pack }> = new Map<
  TensorType,
  { shape: SuperBlockShape; pack: Pack }
>([
  ["Q2_K", { shape: withMinimum(unsigned2Bit, 16, 15), pack: packQ2_K }],
  ["Q3_K", { shape: withoutMinimum(signed3Bit, 16, [-32, 31]), pack: packQ3_K }],
  ["Q4_K", { shape: withMinimum(unsigned4Bit, 32, 63), pack: packQ4_K }],
  ["Q5_K", { shape: withMinimum(unsigned5Bit, 32, 63), pack: packQ5_K }],
  ["Q6_K", { shape: withoutMinimum(signed6Bit, 16, [-128, 127]), pack: packQ6_K }],
  ["IQ4_XS", { shape: withoutMinimum(nonLinear4Bit, 32, [-32, 31]), pack: packIQ4_XS }],
]);

function withMinimum(grid: LevelGrid, subBlock: number, largest: number): SuperBlockShape {
  return { grid, subBlock, scaleCodes: [0, largest], minimumCode: largest, emphasis: 1 };
}

function withoutMinimum(grid: LevelGrid, subBlock: number, scaleCodes: SuperBlockShape["scaleCodes"]): SuperBlockShape {
  return { grid, subBlock, scaleCodes, minimumCode: 0, emphasis: 2 };
}

function packQ2_K({ scaleCodes, minimumCodes, codes, d, dmin }: SuperBlockFit, bytes: DataView, at: number): void {
  for (let j = 0; j < 16; j++) bytes.setUint8(at + j, scaleCodes[j]! | (minimumCodes[j]! << 4));
  packBitPairs(codes, 0, bytes, at + 16);
  bytes.setUint16(at + 80, d, true);
  bytes.setUint16(at + 82, dmin, true);
}

function packQ3_K({ scaleCodes, codes, d }: SuperBlockFit, bytes: DataView, at: number): void {
  packBits(codes, 2, bytes, at);
  packBitPairs(codes, 0, bytes, at + 32);
  for (let j = 0; j < 8; j++) {
    const low = (scaleCodes[j]! + 32) & 15;
    bytes.setUint8(at + 96 + j, low | (((scaleCodes[j + 8]! + 32) & 15) << 4));
  }
  for (let j = 0; j < 4; j++) {
    let byte = 0;
    for (let part = 0; part < 4; part++) byte |= ((scaleCodes[j + 4 * part]! + 32) >>> 4) << (2 * part);
    bytes.setUint8(at + 104 + j, byte);
  }
  bytes.setUint16(at + 108, d, true);
}

function packQ4_K(fit: SuperBlockFit, bytes: DataView, at: number): void {
  packScalesAndMinima(fit, bytes, at);
  packNibbles(fit.codes, 32, bytes, at + 16);
}

function packQ5_K(fit: SuperBlockFit, bytes: DataView, at: number): void {
  packScalesAndMinima(fit, bytes, at);
  packBits(fit.codes, 4, bytes, at + 16);
  packNibbles(fit.codes, 32, bytes, at + 48);
}

function packQ6_K({ scaleCodes, codes, d }: SuperBlockFit, bytes: DataView, at: number): void {
  packNibbles(codes, 64, bytes, at);
  packBitPairs(codes, 4, bytes, at + 128);
  for (let j = 0; j < 16; j++) bytes.setInt8(at + 192 + j, scaleCodes[j]!);
  bytes.setUint16(at + 208, d, true);
}

function packIQ4_XS({ scaleCodes, codes, d }: SuperBlockFit, bytes: DataView, at: number): void {
  let high = 0;
  for (let j = 0; j < 8; j++) high |= ((scaleCodes[j]! + 32) >>> 4) << (2 * j);
  bytes.setUint16(at, d, true);
  bytes.setUint16(at + 2, high, true);
  for (let j = 0; j < 4; j++) {
    const low = (scaleCodes[2 * j]! + 32) & 15;
    bytes.setUint8(at + 4 + j, low | (((scaleCodes[2 * j + 1]! + 32) & 15) << 4));
  }
  packNibbles(codes, 16, bytes, at + 8);
}

/** d, dmin and the 6-bit integers of Q4_K and Q5_K. */
function packScalesAndMinima({ scaleCodes, minimumCodes, d, dmin }: SuperBlockFit, bytes: DataView, at: number): void {
  bytes.setUint16(at, d, true);
  bytes.setUint16(at + 2, dmin, true);
  for (let j = 0; j < 4; j++) {
    const scale = scaleCodes[j + 4]!;
    const minimum = minimumCodes[j + 4]!;
    bytes.setUint8(at + 4 + j, scaleCodes[j]! | ((scale >>> 4) << 6));
    bytes.setUint8(at + 8 + j, minimumCodes[j]! | ((minimum >>> 4) << 6));
    bytes.setUint8(at + 12 + j, (scale & 15) | ((minimum & 15) << 4));
  }
}
