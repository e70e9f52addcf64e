/**
 * Stored weights to float32: the scalar reference, one entry a tensor type. Layouts: ggml/src/ggml-common.h.
 * Bit-equal to ggml's own functions: every product and every sum is rounded to float32 once.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import { type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import { kDecoders } from "./dequantize-k.ts";
import { tableDecoders } from "./dequantize-table.ts";
import { ternaryDecoders } from "./dequantize-ternary.ts";
import { bf16ToF32, f16Values } from "./half.ts";

/** One block at byte `at` of `blocks` into `values` from index `to` on. */
export type BlockDecoder = (blocks: DataView, at: number, values: Float32Array, to: number) => void;

const { fround } = Math;

/** To add a type, add its block function here or in the file of its family, and its quantiser in quantize.ts. */
const decoders: ReadonlyMap<TensorType, BlockDecoder> = new Map<TensorType, BlockDecoder>([
  [
    "F32",
    (blocks, at, values, to) => {
      values[to] = blocks.getFloat32(at, true);
    },
  ],
  [
    "F16",
    (blocks, at, values, to) => {
      values[to] = f16Values()[blocks.getUint16(at, true)]!;
    },
  ],
  [
    "BF16",
    (blocks, at, values, to) => {
      values[to] = bf16ToF32(blocks.getUint16(at, true));
    },
  ],
  ["Q4_0", decodeQ4_0],
  ["Q4_1", decodeQ4_1],
  ["Q5_0", decodeQ5_0],
  ["Q5_1", decodeQ5_1],
  ["Q8_0", decodeQ8_0],
  ...kDecoders,
  ...tableDecoders,
  ...ternaryDecoders,
]);

/** Whether `dequantize` knows the type. */
export function canDequantize(type: TensorType): boolean {
  return decoders.has(type);
}

/**
 * Decodes whole blocks.
 * @param bytes (values.length / blockValues) blocks, as they lie in a file
 * @param values filled to the end
 * @throws NibbleError `unsupported_type`; `bad_shape` if the lengths do not fit each other
 */
export function dequantize(type: TensorType, bytes: Uint8Array, values: Float32Array): void {
  const decode = decoders.get(type);
  if (decode === undefined) throw new NibbleError("unsupported_type", `cannot read weights of type ${type} yet`);
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  if (bytes.length * blockValues !== values.length * blockBytes) {
    throw new NibbleError("bad_shape", `${values.length} values of ${type} do not take ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; at < bytes.length; at += blockBytes, to += blockValues) decode(view, at, values, to);
}

/** d f16 @0, 4-bit codes @2: code j in the low half of byte j, code j + 16 in the high half; value (code - 8) * d. */
function decodeQ4_0(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  for (let j = 0; j < 16; j++) {
    const byte = blocks.getUint8(at + 2 + j);
    values[to + j] = ((byte & 15) - 8) * d;
    values[to + j + 16] = ((byte >>> 4) - 8) * d;
  }
}

/** d f16 @0, m f16 @2, 4-bit codes @4; value code * d + m. */
function decodeQ4_1(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  const m = f16Values()[blocks.getUint16(at + 2, true)]!;
  for (let j = 0; j < 16; j++) {
    const byte = blocks.getUint8(at + 4 + j);
    values[to + j] = fround((byte & 15) * d) + m;
    values[to + j + 16] = fround((byte >>> 4) * d) + m;
  }
}

/** d f16 @0, fifth bits u32 @2 (bit j belongs to code j), low four bits @6; value (code - 16) * d. */
function decodeQ5_0(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  const high = blocks.getUint32(at + 2, true);
  for (let j = 0; j < 16; j++) {
    const byte = blocks.getUint8(at + 6 + j);
    values[to + j] = (((byte & 15) | (((high >>> j) & 1) << 4)) - 16) * d;
    values[to + j + 16] = (((byte >>> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16) * d;
  }
}

/** d f16 @0, m f16 @2, fifth bits u32 @4, low four bits @8; value code * d + m. */
function decodeQ5_1(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  const m = f16Values()[blocks.getUint16(at + 2, true)]!;
  const high = blocks.getUint32(at + 4, true);
  for (let j = 0; j < 16; j++) {
    const byte = blocks.getUint8(at + 8 + j);
    values[to + j] = fround(((byte & 15) | (((high >>> j) & 1) << 4)) * d) + m;
    values[to + j + 16] = fround(((byte >>> 4) | (((high >>> (j + 16)) & 1) << 4)) * d) + m;
  }
}

/** d f16 @0, i8 codes @2; value code * d. */
function decodeQ8_0(blocks: DataView, at: number, values: Float32Array, to: number): void {
  const d = f16Values()[blocks.getUint16(at, true)]!;
  for (let j = 0; j < 32; j++) values[to + j] = blocks.getInt8(at + 2 + j) * d;
}
