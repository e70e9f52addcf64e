/**
 * The order of q and k rows. Hugging Face rotates component j of a head with j + size/2, llama.cpp's architecture
 * `llama` rotates neighbours 2j and 2j + 1; its files hold the rows rearranged, so that both compute the same
 * (llama.cpp, conversion/llama.py). Other architectures keep Hugging Face's order.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import type { Checkpoint, TensorInfo } from "../src/formats/types.ts";

/** Rows a head if this tensor's rows must be rearranged for GGUF, else 0. */
export function headRows(checkpoint: Checkpoint, { name, shape }: TensorInfo): number {
  if (checkpoint.architecture !== "llama" || checkpoint.permutedQK) return 0;
  const kind = /^blk\.\d+\.attn_([qk])\.(?:weight|bias)$/.exec(name)?.[1];
  if (kind === undefined) return 0;
  const q = checkpoint.metadata.get("llama.attention.head_count");
  const kv = checkpoint.metadata.get("llama.attention.head_count_kv") ?? q;
  const heads = kind === "q" ? q : kv;
  if (typeof heads !== "number") throw new NibbleError("bad_value", "expected one head count for all layers");
  const rows = shape[0]!;
  const size = rows / heads;
  if (!Number.isInteger(size) || size % 2 !== 0) {
    throw new NibbleError("bad_shape", `tensor ${name}: ${rows} rows are not ${heads} heads of an even size`);
  }
  return size;
}

/** Whole heads with rows j, j + size/2 put side by side: row 2j + s of a head comes from row s * size/2 + j. */
export function interleaveHalves(heads: Uint8Array, size: number, rowLength: number): Uint8Array {
  const result = new Uint8Array(heads.length);
  const half = size / 2;
  for (let head = 0; head < heads.length; head += size * rowLength) {
    for (let row = 0; row < size; row++) {
      const from = head + ((row & 1) * half + (row >> 1)) * rowLength;
      result.set(heads.subarray(from, from + rowLength), head + row * rowLength);
    }
  }
  return result;
}
