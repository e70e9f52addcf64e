/**
 * The order of q and k rows. RoPE in Hugging Face's models rotates component j of a head with component j + size/2; in
 * llama.cpp's architecture `llama`, and in those that its converter treats like it, it rotates the neighbours 2j and 2j + 1.
 * GGUF files of those architectures have the rows permuted, so that both compute the same (llama.cpp, conversion/llama.py).
 * Other architectures keep Hugging Face's order.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint, TensorInfo } from "./checkpoint.ts";

const PERMUTED: ReadonlySet<string> = new Set(["llama", "granite", "granitehybrid", "smollm3", "mistral3", "minicpm"]);

/** Whether GGUF files of an architecture have their q and k rows permuted. */
export function isPermuted(architecture: string): boolean {
  return PERMUTED.has(architecture);
}

/**
 * Rows per head if the rows of this tensor must be permuted for GGUF, else 0.
 * @throws NibbleError `bad_value`, `bad_shape`
 */
export function headRows(
  checkpoint: Pick<Checkpoint, "architecture" | "permutedQK" | "metadata">,
  { name, shape }: Pick<TensorInfo, "name" | "shape">,
): number {
  const { architecture } = checkpoint;
  if (!isPermuted(architecture) || checkpoint.permutedQK) return 0;
  const kind = /^blk\.\d+\.attn_([qk])\.(?:weight|bias)$/.exec(name)?.[1];
  if (kind === undefined) return 0;
  const q = checkpoint.metadata.get(`${architecture}.attention.head_count`);
  const kv = checkpoint.metadata.get(`${architecture}.attention.head_count_kv`) ?? q;
  const heads = kind === "q" ? q : kv;
  if (typeof heads !== "number") {
    throw new NibbleError(
      "bad_value",
      `${architecture}.attention.head_count: one number for all layers is required to permute q and k`,
    );
  }
  const rows = shape[0]!;
  const size = rows / heads;
  if (!Number.isInteger(size) || size % 2 !== 0) {
    throw new NibbleError("bad_shape", `tensor ${name}: expected rows for ${heads} heads of an even size, got ${rows}`);
  }
  return size;
}

/**
 * Brings rows j and j + size/2 of each head side by side: row 2j + s comes from row s * size/2 + j.
 * @param heads whole heads
 * @param size rows per head
 * @param rowLength bytes per row
 */
export function interleaveHalves(heads: Uint8Array, size: number, rowLength: number): Uint8Array {
  return rearrange(heads, size, rowLength, (row) => (row & 1) * (size / 2) + (row >> 1));
}

/** Undoes `interleaveHalves`. */
export function separateHalves(heads: Uint8Array, size: number, rowLength: number): Uint8Array {
  return rearrange(heads, size, rowLength, (row) => 2 * (row % (size / 2)) + Math.floor(row / (size / 2)));
}

function rearrange(heads: Uint8Array, size: number, rowLength: number, from: (row: number) => number): Uint8Array {
  const result = new Uint8Array(heads.length);
  for (let head = 0; head < heads.length; head += size * rowLength) {
    for (let row = 0; row < size; row++) {
      const source = head + from(row) * rowLength;
      result.set(heads.subarray(source, source + rowLength), head + row * rowLength);
    }
  }
  return result;
}
