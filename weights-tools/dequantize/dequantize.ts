/**
 * Stored weights to float32: the scalar reference, with one decoder per tensor type. Layouts: ggml/src/ggml-common.h.
 * Values are bit-equal to those of ggml's own functions: every product and every sum is rounded to float32 once.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { bf16ToF32, f16Values } from "../../src/formats/float16.ts";
import { type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { decodersOf32 } from "./blocks-of-32.ts";
import { codebookDecoders } from "./codebook.ts";
import type { BlockDecoder, StoredBlock } from "./decoder.ts";
import { kDecoders } from "./k-types.ts";
import { ternaryDecoders } from "./ternary.ts";

const decoders: ReadonlyMap<TensorType, BlockDecoder> = new Map<TensorType, BlockDecoder>([
  ["F32", decodeF32],
  ["F16", decodeF16],
  ["BF16", decodeBF16],
  ...decodersOf32,
  ...kDecoders,
  ...codebookDecoders,
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
  if (decode === undefined)
    throw new NibbleError("unsupported_type", `reading weights of type ${type} is not supported`);
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  const expected = (values.length / blockValues) * blockBytes;
  if (bytes.length !== expected) {
    throw new NibbleError(
      "bad_shape",
      `${values.length} values of ${type}: expected ${expected} bytes, got ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block: StoredBlock = { bytes: view, at: 0, values, to: 0 };
  for (; block.at < bytes.length; block.at += blockBytes, block.to += blockValues) decode(block);
}

function decodeF32({ bytes, at, values, to }: StoredBlock): void {
  values[to] = bytes.getFloat32(at, true);
}

function decodeF16({ bytes, at, values, to }: StoredBlock): void {
  values[to] = f16Values()[bytes.getUint16(at, true)]!;
}

function decodeBF16({ bytes, at, values, to }: StoredBlock): void {
  values[to] = bf16ToF32(bytes.getUint16(at, true));
}
