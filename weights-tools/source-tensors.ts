/**
 * The weights of a checkpoint in either container as GGUF holds them: with q and k rows in the architecture's order, and
 * Llama 3's RoPE scaling as a tensor. They are read in chunks.
 * @module
 */

import type { Checkpoint, TensorInfo } from "../src/formats/checkpoint.ts";
import { headRows, interleaveHalves } from "../src/formats/permute.ts";
import { rowBytes, type TensorType } from "../src/formats/tensor-types.ts";
import { readExactly } from "../src/io/byte-source.ts";
import { dequantize } from "./dequantize/dequantize.ts";
import { ropeFrequencies } from "./gguf/rope-frequencies.ts";
import { withTiledHeads } from "./value-heads.ts";

/** One tensor, under GGUF's name and in GGUF's shape. */
export interface SourceTensor {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** The tensor of the checkpoint. */
  readonly info: TensorInfo;
  /** Rows per head if the rows are permuted (`headRows` of src/formats/permute.ts), else 0. */
  readonly headRows: number;
}

/** Consecutive values of a tensor. Both arrays are overwritten by the next chunk. */
export interface Chunk {
  /** Index of the first value in the tensor. */
  readonly from: number;
  readonly values: Float32Array;
  /** The same values in the source's type. */
  readonly stored: Uint8Array;
}

/** A multiple of the block size of every type, so that a chunk is whole blocks of any type. */
const blockMultiple = 256;
/** Bytes of float32. */
const defaultChunkBytes = 4 * 1024 * 1024;

/** All tensors, in the source's order. */
export function sourceTensors(checkpoint: Checkpoint): SourceTensor[] {
  const infos = [...checkpoint.tensors.values()];
  const frequencies = checkpoint.tensors.has("rope_freqs.weight") ? undefined : ropeFrequencies(checkpoint);
  if (frequencies !== undefined) infos.unshift(frequencies);
  return infos.map((file) => {
    const info = withTiledHeads(checkpoint, file);
    const { name, shape, type } = info;
    return { name, shape, type, info, headRows: headRows(checkpoint, info) };
  });
}

/** Number of values of a shape. */
export function valueCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * The tensor's values, front to back.
 * @param options.chunkBytes bytes of float32 per chunk (default 4 MiB); a head whose rows are permuted is never divided
 * @param options.wholeRows whether chunks are whole rows
 * @throws NibbleError `unsupported_type`; what the source rejects with
 */
export async function* readChunks(
  { info, shape, headRows }: SourceTensor,
  { chunkBytes = defaultChunkBytes, wholeRows = false }: { chunkBytes?: number | undefined; wholeRows?: boolean } = {},
): AsyncGenerator<Chunk> {
  const columns = shape.length === 1 ? 1 : shape.at(-1)!; // a bias is permuted like a matrix with one column
  const unit = headRows > 0 ? headRows * columns : wholeRows ? columns : blockMultiple;
  const chunkValues = unit * Math.max(1, Math.floor(chunkBytes / 4 / unit));
  const total = valueCount(shape);
  const buffer = new Float32Array(Math.min(chunkValues, total));
  for (let from = 0; from < total; from += chunkValues) {
    const values = buffer.subarray(0, Math.min(chunkValues, total - from));
    const at = info.offset + rowBytes(info.type, from);
    let stored = await readExactly(info.source, at, rowBytes(info.type, values.length));
    if (headRows > 0) stored = interleaveHalves(stored, headRows, rowBytes(info.type, columns));
    dequantize(info.type, stored, values);
    yield { from, values, stored };
  }
}

/** The tensor's bytes as they lie in its file. */
export async function* readRaw({
  source,
  offset,
  byteLength,
}: Pick<TensorInfo, "source" | "offset" | "byteLength">): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < byteLength; at += defaultChunkBytes)
    yield await readExactly(source, offset + at, Math.min(defaultChunkBytes, byteLength - at));
}
