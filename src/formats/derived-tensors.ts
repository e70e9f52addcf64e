/**
 * Tensors that are computed from small ones of a file when they are read.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type ByteSource, readExactly } from "../io/byte-source.ts";
import type { TensorInfo } from "./checkpoint.ts";
import { bf16ToF32, f16ToF32 } from "./float16.ts";

/** Bounds the memory that a derived tensor takes. The largest one in use is a convolution of 16,384 channels and 4 taps. */
const MAX_VALUES = 2 ** 20;

/** Whether a tensor is the kernel of a short convolution, which has a few values per channel. Files keep it as F32. */
export function isConvolution(name: string): boolean {
  return name.endsWith(".ssm_conv1d.weight") || name.endsWith(".shortconv.conv.weight");
}

/** The values of a float tensor, each one changed: F32. @throws NibbleError `bad_shape`, `unsupported_type` */
export function mapped(info: TensorInfo, change: (value: number) => number): TensorInfo {
  return derived(info, info.shape, (values) => values.map(change));
}

/** A matrix with its rows and columns exchanged: F32. @throws NibbleError `bad_shape`, `unsupported_type` */
export function transposed(info: TensorInfo): TensorInfo {
  const [rows = 0, columns = 0] = info.shape;
  return derived(info, [columns, rows], (values) =>
    values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
  );
}

function derived(
  info: TensorInfo,
  shape: readonly number[],
  compute: (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>,
): TensorInfo {
  const { name, type } = info;
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > MAX_VALUES)
    throw new NibbleError("bad_shape", `tensor ${name}: expected at most ${MAX_VALUES} values, got [${info.shape}]`);
  if (type !== "F32" && type !== "F16" && type !== "BF16")
    throw new NibbleError("unsupported_type", `tensor ${name}: expected F32, F16 or BF16, got ${type}`);
  const size = 4 * count;
  const source: ByteSource = {
    size,
    async read(offset, length) {
      const bytes = await readExactly(info.source, info.offset, info.byteLength);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values = Float32Array.from({ length: count }, (_, i) => valueAt(view, i, type));
      return new Uint8Array(compute(values).buffer, offset, length);
    },
  };
  return { name, type: "F32", shape, source, offset: 0, byteLength: size };
}

function valueAt(view: DataView, i: number, type: "F32" | "F16" | "BF16"): number {
  if (type === "F32") return view.getFloat32(4 * i, true);
  const bits = view.getUint16(2 * i, true);
  return type === "F16" ? f16ToF32(bits) : bf16ToF32(bits);
}
