/**
 * Encoders without a search: the float types, and those of 32 values whose scale (and minimum) follow from the peak (or
 * the range). Their bytes equal those of ggml (`quantize_row_*_ref`) and gguf-py, which multiply with the rounded
 * reciprocal of the scale. Layouts: ../dequantize/blocks-of-32.ts.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { f32ToBf16 } from "../../src/formats/float16.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import type { BlockEncoder, ValuesOfBlock } from "./encoder.ts";
import { finiteF16 } from "./float-bits.ts";

const { abs, floor, fround, min, trunc } = Math;

export const closedForms: readonly (readonly [TensorType, BlockEncoder])[] = [
  ["F32", ({ values, from, bytes, at }) => bytes.setFloat32(at, values[from]!, true)],
  ["F16", ({ values, from, bytes, at }) => storeF16(values[from]!, bytes, at)],
  ["BF16", encodeBf16],
  ["Q4_0", encodeQ4_0],
  ["Q4_1", encodeQ4_1],
  ["Q5_0", encodeQ5_0],
  ["Q5_1", encodeQ5_1],
  ["Q8_0", encodeQ8_0],
];

function storeF16(value: number, bytes: DataView, at: number): void {
  bytes.setUint16(at, finiteF16(value), true);
}

function encodeBf16({ values, from, bytes, at }: ValuesOfBlock): void {
  const bfloat16 = f32ToBf16(values[from]!);
  if ((bfloat16 & 0x7f80) === 0x7f80) {
    throw new NibbleError("bad_weights", `expected weights of at most 3.39e38, the largest BF16, got ${values[from]}`);
  }
  bytes.setUint16(at, bfloat16, true);
}

function encodeQ4_0({ values, from, bytes, at }: ValuesOfBlock): void {
  const d = signedPeak(values, from) / -8;
  const inverse = reciprocal(d);
  storeF16(d, bytes, at);
  for (let j = 0; j < 16; j++) {
    const low = codeAroundZero(values[from + j]!, inverse, 8);
    const high = codeAroundZero(values[from + j + 16]!, inverse, 8);
    bytes.setUint8(at + 2 + j, low | (high << 4));
  }
}

function encodeQ4_1({ values, from, bytes, at }: ValuesOfBlock): void {
  const { lowest, d } = range(values, from, 15);
  const inverse = reciprocal(d);
  storeF16(d, bytes, at);
  storeF16(lowest, bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const low = codeAboveMinimum(values[from + j]!, lowest, inverse, 15);
    const high = codeAboveMinimum(values[from + j + 16]!, lowest, inverse, 15);
    bytes.setUint8(at + 4 + j, low | (high << 4));
  }
}

function encodeQ5_0({ values, from, bytes, at }: ValuesOfBlock): void {
  const d = signedPeak(values, from) / -16;
  const inverse = reciprocal(d);
  let fifths = 0;
  storeF16(d, bytes, at);
  for (let j = 0; j < 16; j++) {
    const low = codeAroundZero(values[from + j]!, inverse, 16);
    const high = codeAroundZero(values[from + j + 16]!, inverse, 16);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (j + 16));
    bytes.setUint8(at + 6 + j, (low & 15) | ((high & 15) << 4));
  }
  bytes.setUint32(at + 2, fifths, true);
}

function encodeQ5_1({ values, from, bytes, at }: ValuesOfBlock): void {
  const { lowest, d } = range(values, from, 31);
  const inverse = reciprocal(d);
  let fifths = 0;
  storeF16(d, bytes, at);
  storeF16(lowest, bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const low = codeAboveMinimum(values[from + j]!, lowest, inverse, 31);
    const high = codeAboveMinimum(values[from + j + 16]!, lowest, inverse, 31);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (j + 16));
    bytes.setUint8(at + 8 + j, (low & 15) | ((high & 15) << 4));
  }
  bytes.setUint32(at + 4, fifths, true);
}

/** Rounds to nearest, ties away from zero, as C's `roundf`. */
function encodeQ8_0({ values, from, bytes, at }: ValuesOfBlock): void {
  const d = fround(abs(signedPeak(values, from)) / 127);
  const inverse = reciprocal(d);
  storeF16(d, bytes, at);
  for (let j = 0; j < 32; j++) {
    const scaled = fround(values[from + j]! * inverse);
    const code = floor(abs(scaled) + 0.5);
    bytes.setInt8(at + 2 + j, scaled < 0 ? -code : code);
  }
}

/** The value of largest magnitude of 32, with its sign; of equal ones the first. */
function signedPeak(values: Float32Array, from: number): number {
  let peak = values[from]!;
  for (let j = 1; j < 32; j++) if (abs(values[from + j]!) > abs(peak)) peak = values[from + j]!;
  return peak;
}

/** The least of 32 values, and the step that divides their range into `steps`. */
function range(values: Float32Array, from: number, steps: number): { lowest: number; d: number } {
  let lowest = values[from]!;
  let highest = lowest;
  for (let j = 1; j < 32; j++) {
    const value = values[from + j]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return { lowest, d: fround(fround(highest - lowest) / steps) };
}

/** 1 / d in float32; 0 where d is 0, or so small that its reciprocal is no float32 (such a d is 0 as F16 anyway). */
function reciprocal(d: number): number {
  const inverse = fround(1 / d);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** Code of a type without a minimum, 0 .. 2 * middle - 1. The product is rounded before the sum, as in gguf-py and llama.cpp's x86 builds. */
function codeAroundZero(value: number, inverse: number, middle: number): number {
  return min(2 * middle - 1, trunc(fround(fround(value * inverse) + (middle + 0.5))));
}

/** Code of a type with a minimum, 0 .. top. */
function codeAboveMinimum(value: number, lowest: number, inverse: number, top: number): number {
  return min(top, trunc(fround(fround(fround(value - lowest) * inverse) + 0.5)));
}
