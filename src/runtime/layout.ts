/**
 * How data lies in linear memory: the twin of `assembly/layout.ts`. `test/kernels/layout.test.ts` compares the two.
 * @module
 */
import type { TensorType } from "../formats/tensor-types.ts";
import { scaleBlock, weightTypeFacts } from "./weight-types.ts";

/** Rows of a group, whose weights are interleaved. */
export const GROUP_ROWS = 16;
/** Columns of a block: the values that share a scale. */
export const BLOCK = 32;
/** Tokens of a page of the key-value cache. */
export const PAGE_TOKENS = 32;
/** Every region and buffer begins at a multiple of this many bytes, which is a cache line, or four vectors. */
export const ALIGNMENT = 64;
/** Largest head dimension for which the int8 attention sums stay exact (assembly/kernels/attention/attention.ts). */
export const MAX_HEAD_DIM = 256;

/** Bytes of one group of GROUP_ROWS rows of `columns` weights: scales, then codes. */
export function groupBytes(type: TensorType, columns: number): number {
  const { bits, scales, minima } = weightTypeFacts(type);
  const codes = (columns * GROUP_ROWS * bits) / 8;
  const inTiles = scales === "tile" ? (columns / BLOCK) * GROUP_ROWS * (minima ? 4 : 2) : 0;
  const block = scaleBlock(type);
  return (block ? (columns / block.columns) * block.bytes : 0) + inTiles + codes;
}

/** Bytes of a tiled matrix; rows are padded to whole groups. */
export function matrixBytes(type: TensorType, rows: number, columns: number): number {
  return Math.ceil(rows / GROUP_ROWS) * groupBytes(type, columns);
}

/** Token rows that a matmul of several rows computes at once. */
export const TILE_TOKENS = 4;

/** Bytes of a quantised activation row. */
export function quantizedRowBytes(columns: number): number {
  return 4 * columns + (columns / BLOCK) * 48;
}

/**
 * How the key-value cache stores keys and values: both as f32, both as int8, or `mixed` (keys of 12 bits and int8
 * values).
 */
export type KvType = "f32" | "int8" | "mixed";
/** The ids of these types in `assembly/layout.ts`. */
export const KV_TYPES: Readonly<Record<KvType, number>> = { f32: 0, int8: 1, mixed: 2 };

/** Bytes of the keys and values of one kv head of one layer in a page. */
export function kvHeadBytes(kvType: KvType, headDim: number): number {
  if (kvType === "f32") return PAGE_TOKENS * headDim * 8;
  return PAGE_TOKENS * (8 + (kvType === "mixed" ? 3 : 2) * headDim);
}

export function align(n: number, to: number = ALIGNMENT): number {
  return Math.ceil(n / to) * to;
}

/** Most queries of one call of the attention kernel. */
export const ATTENTION_QUERIES = 16;

/** Bytes of scratch of one call of the attention kernel (assembly/kernels/attention/attention.ts). */
export function attentionScratchBytes(headDim: number): number {
  return ATTENTION_QUERIES * (PAGE_TOKENS * 6 + headDim * 6 + 32);
}

/** Bytes of scratch of one call of kvStore: a rotated head (assembly/kernels/kv-store.ts). */
export function kvStoreScratchBytes(headDim: number): number {
  return 4 * headDim;
}

/** Bytes of a block of queries, which the interpreter puts before that scratch. */
export const QUERY_BLOCK_BYTES: number = 16 + 4 * ATTENTION_QUERIES;

/** Bytes of scratch of a LoRA operation: A x, and 16 rows of B (A x) (assembly/kernels/lora.ts). */
export function loraScratchBytes(rank: number): number {
  return 4 * align(rank, 16) + 64;
}

/**
 * Bytes of scratch of a matmul of several rows: the operands of a tile, and a group's panel with its scales and minima
 * (assembly/kernels/matmul/panel.ts).
 */
export function matmulScratchBytes(columns: number): number {
  return 64 + 32 * columns + 2 * (columns / 16) * 64;
}
