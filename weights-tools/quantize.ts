/**
 * float32 to stored weights: the scalar reference, one entry a tensor type. Layouts: see dequantize.ts.
 *
 * Types of one scale (and minimum) by peak (and range) are here. Their bytes equal those of ggml (`quantize_row_*_ref`)
 * and gguf-py, which round the scale's reciprocal, not the scale. All others, and these with an importance matrix, search
 * for the least error: quantize-search.ts.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import { type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import { f32ToBf16, finiteF16 } from "./half.ts";
import { searchEncoders } from "./quantize-search.ts";

/**
 * One block of `values` from index `from` on, into `blocks` at byte `at`.
 * @param importance how much the squared error counts, by column; the block begins at `column`
 */
export type BlockEncoder = (
  values: Float32Array,
  from: number,
  blocks: DataView,
  at: number,
  importance: Float32Array | undefined,
  column: number,
) => void;

const { abs, floor, fround, min, trunc } = Math;

/** The types with a closed form. To add one, add its block function here and its decoder in dequantize.ts. */
const closedForms: ReadonlyMap<TensorType, BlockEncoder> = new Map<TensorType, BlockEncoder>([
  ["F32", (values, from, blocks, at) => blocks.setFloat32(at, values[from]!, true)],
  ["F16", (values, from, blocks, at) => storeF16(values[from]!, blocks, at)],
  ["BF16", encodeBf16],
  ["Q4_0", encodeQ4_0],
  ["Q4_1", encodeQ4_1],
  ["Q5_0", encodeQ5_0],
  ["Q5_1", encodeQ5_1],
  ["Q8_0", encodeQ8_0],
]);
const searches: ReadonlyMap<TensorType, BlockEncoder> = new Map(searchEncoders);

/** Without an importance the bytes of Q4_0 ... Q8_0 are ggml's. */
function encoderOf(type: TensorType, weighted: boolean): BlockEncoder | undefined {
  const [first, second] = weighted ? [searches, closedForms] : [closedForms, searches];
  return first.get(type) ?? second.get(type);
}

/** Whether `quantize` knows the type. */
export function canQuantize(type: TensorType): boolean {
  return encoderOf(type, false) !== undefined;
}

/**
 * Encodes whole blocks.
 * @param bytes (values.length / blockValues) blocks, filled to the end
 * @param importance [columns]: how much the squared error of each column counts, as an importance matrix has it (mean
 *   square of the activations that meet it). `values` are then whole rows. F32, F16 and BF16 have no use for it.
 * @throws NibbleError `bad_weights` for NaN, infinity, or a value or scale beyond what the type can hold;
 *   `unsupported_type`; `bad_shape` if the lengths do not fit each other; `invalid_argument` for an importance that is
 *   negative, NaN or infinite
 */
export function quantize(type: TensorType, values: Float32Array, bytes: Uint8Array, importance?: Float32Array): void {
  const encode = encoderOf(type, importance !== undefined);
  if (encode === undefined) throw new NibbleError("unsupported_type", `cannot write weights of type ${type} yet`);
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  if (bytes.length * blockValues !== values.length * blockBytes) {
    throw new NibbleError("bad_shape", `${values.length} values of ${type} do not take ${bytes.length} bytes`);
  }
  checkFinite(values);
  const columns = importance === undefined ? blockValues : importance.length;
  if (importance !== undefined) checkImportance(importance, values.length, blockValues);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let column = 0;
  for (let at = 0, from = 0; at < bytes.length; at += blockBytes, from += blockValues) {
    encode(values, from, view, at, importance, column);
    column += blockValues;
    if (column === columns) column = 0;
  }
}

function checkImportance(importance: Float32Array, count: number, blockValues: number): void {
  const columns = importance.length;
  if (columns === 0 || count % columns !== 0 || columns % blockValues !== 0) {
    throw new NibbleError(
      "bad_shape",
      `expected an importance for each column of ${count} values in blocks of ${blockValues}, got ${columns}`,
    );
  }
  for (let i = 0; i < columns; i++) {
    const value = importance[i]!;
    if (value >= 0 && value < Number.POSITIVE_INFINITY) continue;
    throw new NibbleError(
      "invalid_argument",
      `expected a finite importance of 0 or more, found ${value} at column ${i}`,
    );
  }
}

/** @throws NibbleError `bad_weights` at the first NaN or infinity */
export function checkFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new NibbleError("bad_weights", `expected finite weights, found ${values[i]}`);
  }
}

function storeF16(value: number, blocks: DataView, at: number): void {
  blocks.setUint16(at, finiteF16(value), true);
}

function encodeBf16(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const half = f32ToBf16(values[from]!);
  if ((half & 0x7f80) === 0x7f80) throw new NibbleError("bad_weights", `${values[from]} is beyond BF16's range`);
  blocks.setUint16(at, half, true);
}

function encodeQ4_0(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const d = signedPeak(values, from) / -8;
  const inverse = reciprocal(d);
  storeF16(d, blocks, at);
  for (let j = 0; j < 16; j++) {
    const low = symmetricCode(values[from + j]!, inverse, 8);
    const high = symmetricCode(values[from + j + 16]!, inverse, 8);
    blocks.setUint8(at + 2 + j, low | (high << 4));
  }
}

function encodeQ4_1(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const { lowest, d } = range(values, from, 15);
  const inverse = reciprocal(d);
  storeF16(d, blocks, at);
  storeF16(lowest, blocks, at + 2);
  for (let j = 0; j < 16; j++) {
    const low = offsetCode(values[from + j]!, lowest, inverse, 15);
    const high = offsetCode(values[from + j + 16]!, lowest, inverse, 15);
    blocks.setUint8(at + 4 + j, low | (high << 4));
  }
}

function encodeQ5_0(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const d = signedPeak(values, from) / -16;
  const inverse = reciprocal(d);
  let fifths = 0;
  storeF16(d, blocks, at);
  for (let j = 0; j < 16; j++) {
    const low = symmetricCode(values[from + j]!, inverse, 16);
    const high = symmetricCode(values[from + j + 16]!, inverse, 16);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (j + 16));
    blocks.setUint8(at + 6 + j, (low & 15) | ((high & 15) << 4));
  }
  blocks.setUint32(at + 2, fifths, true);
}

function encodeQ5_1(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const { lowest, d } = range(values, from, 31);
  const inverse = reciprocal(d);
  let fifths = 0;
  storeF16(d, blocks, at);
  storeF16(lowest, blocks, at + 2);
  for (let j = 0; j < 16; j++) {
    const low = offsetCode(values[from + j]!, lowest, inverse, 31);
    const high = offsetCode(values[from + j + 16]!, lowest, inverse, 31);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (j + 16));
    blocks.setUint8(at + 8 + j, (low & 15) | ((high & 15) << 4));
  }
  blocks.setUint32(at + 4, fifths, true);
}

/** Rounds half away from zero, as C's `roundf`. */
function encodeQ8_0(values: Float32Array, from: number, blocks: DataView, at: number): void {
  const d = fround(abs(signedPeak(values, from)) / 127);
  const inverse = reciprocal(d);
  storeF16(d, blocks, at);
  for (let j = 0; j < 32; j++) {
    const scaled = fround(values[from + j]! * inverse);
    const code = floor(abs(scaled) + 0.5);
    blocks.setInt8(at + 2 + j, scaled < 0 ? -code : code);
  }
}

/** The value of largest magnitude of 32, with its sign; the first one wins. */
function signedPeak(values: Float32Array, from: number): number {
  let peak = values[from]!;
  for (let j = 1; j < 32; j++) if (abs(values[from + j]!) > abs(peak)) peak = values[from + j]!;
  return peak;
}

/** Least value, and the step that divides the range of 32 values into `steps`. */
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

/** Code of a symmetric type, 0 .. 2 * middle - 1. The product is rounded before the sum, as in gguf-py and llama.cpp's x86 builds. */
function symmetricCode(value: number, inverse: number, middle: number): number {
  return min(2 * middle - 1, trunc(fround(fround(value * inverse) + (middle + 0.5))));
}

/** Code of a type with an offset, 0 .. top. */
function offsetCode(value: number, lowest: number, inverse: number, top: number): number {
  return min(top, trunc(fround(fround(fround(value - lowest) * inverse) + 0.5)));
}
