/**
 * How data lies in linear memory: the TypeScript twin of `assembly/layout.ts` (a test compares the two).
 * @module
 */
import type { TensorType } from "../formats/tensor-types.ts";
import { tensorTypeFacts } from "../formats/tensor-types.ts";

/** Rows whose weights are interleaved. */
export const GROUP_ROWS = 16;
/** Values that share a scale. */
export const BLOCK = 32;
/** Tokens of a page of the key-value cache. */
export const PAGE_TOKENS = 32;
/** Bytes of an operation of the program: 32 words. */
export const OP_BYTES = 128;
/** Every region and buffer begins at a multiple of this: a cache line, four vectors. */
export const ALIGNMENT = 64;
/** Largest head dimension for which the int8 attention sums stay exact (assembly/kernels/attention.ts). */
export const MAX_HEAD_DIM = 256;

/** How a type's weights lie in memory (assembly/layout.ts): tiles of GROUP_ROWS rows, and scales before them. */
interface WeightLayout {
  /** What a weight is kept as. */
  readonly codes: string;
  /** Columns and bytes of a tile. */
  readonly tile: readonly [columns: number, bytes: number];
  /** Columns and bytes of the scales that lie before all tiles of a group. */
  readonly scales?: readonly [columns: number, bytes: number];
  /** Whether a product takes activations of 16 bits, not of one or two int8 digits. */
  readonly wide?: boolean;
}

/** Every type that kernels multiply with. */
const LAYOUTS: ReadonlyMap<TensorType, WeightLayout> = new Map<TensorType, WeightLayout>([
  ["F32", { codes: "f32", tile: [1, 64] }],
  ["F16", { codes: "f16", tile: [1, 32] }],
  ["BF16", { codes: "bf16", tile: [1, 32] }],
  ["Q4_0", { codes: "4-bit codes", tile: [BLOCK, 32 + 256] }],
  ["Q4_1", { codes: "4-bit codes", tile: [BLOCK, 64 + 256] }],
  ["Q8_0", { codes: "int8", tile: [BLOCK, 32 + 512], wide: true }],
  ["Q5_0", { codes: "5-bit codes", tile: [BLOCK, 256 + 64], scales: [BLOCK, 32] }],
  ["Q5_1", { codes: "5-bit codes", tile: [BLOCK, 256 + 64], scales: [BLOCK, 64] }],
  ["Q2_K", { codes: "4-bit codes", tile: [BLOCK, 256], scales: [256, 64 + 16 * 32] }],
  ["Q3_K", { codes: "4-bit codes", tile: [BLOCK, 256], scales: [256, 32 + 16 * 16] }],
  ["Q4_K", { codes: "4-bit codes", tile: [BLOCK, 256], scales: [256, 64 + 8 * 32] }],
  ["Q5_K", { codes: "5-bit codes", tile: [BLOCK, 256 + 64], scales: [256, 64 + 8 * 32] }],
  ["Q6_K", { codes: "6-bit codes", tile: [BLOCK, 256 + 128], scales: [256, 32 + 16 * 16] }],
  ["IQ4_NL", { codes: "4-bit codes of levels", tile: [BLOCK, 256], scales: [BLOCK, 32], wide: true }],
  ["IQ4_XS", { codes: "4-bit codes of levels", tile: [BLOCK, 256], scales: [256, 32 + 8 * 16], wide: true }],
  ["MXFP4", { codes: "4-bit codes of levels", tile: [BLOCK, 256], scales: [BLOCK, 16], wide: true }],
]);

/** Whether a kernel exists for this type. */
export function hasKernel(type: TensorType): boolean {
  return LAYOUTS.has(type);
}

/** What kernels keep a weight of this type as; Q2_K and Q3_K get wider codes, no type loses a bit. */
export function layoutOf(type: TensorType): string {
  return LAYOUTS.get(type)!.codes;
}

/** Whether its products take quantised activations. */
export function isQuantized(type: TensorType): boolean {
  return tensorTypeFacts(type).blockValues > 1;
}

/** Whether those have 16 bits (assembly/kernels/quantize.ts). */
export function takesWide(type: TensorType): boolean {
  return LAYOUTS.get(type)!.wide ?? false;
}

/** Bytes of one group of GROUP_ROWS rows. */
export function groupBytes(type: TensorType, columns: number): number {
  const { tile, scales } = LAYOUTS.get(type)!;
  return (columns / tile[0]) * tile[1] + (scales ? (columns / scales[0]) * scales[1] : 0);
}

/** Bytes of a tiled matrix; rows are padded to whole groups. */
export function matrixBytes(type: TensorType, rows: number, columns: number): number {
  return Math.ceil(rows / GROUP_ROWS) * groupBytes(type, columns);
}

/** Token rows that a product of several rows computes at once. */
export const TILE_TOKENS = 4;

/** Bytes of a quantised activation row. */
export function quantizedRowBytes(columns: number): number {
  return 4 * columns + (columns / BLOCK) * 48;
}

/** Key-value cache: int8; `mixed`, keys of 12 bits and int8 values; f32. */
export type KvType = "f32" | "int8" | "mixed";
/** The ids of `assembly/layout.ts`. */
export const KV_TYPES: Readonly<Record<KvType, number>> = { f32: 0, int8: 1, mixed: 2 };

/** Bytes of the keys and values of one kv head of one layer in a page. */
export function kvHeadBytes(kvType: KvType, headDim: number): number {
  if (kvType === "f32") return PAGE_TOKENS * headDim * 8;
  return PAGE_TOKENS * (8 + (kvType === "mixed" ? 3 : 2) * headDim);
}

export function align(n: number, to: number = ALIGNMENT): number {
  return Math.ceil(n / to) * to;
}

/** Most queries of one attention call. */
export const ATTENTION_QUERIES = 16;

/** Scratch of one attention call (assembly/kernels/attention.ts). */
export function attentionScratchBytes(headDim: number): number {
  return PAGE_TOKENS * 6 + ATTENTION_QUERIES * (headDim * 6 + 16);
}

/** The same with the rows' positions, which the program puts before it. */
export function attentionOperationBytes(headDim: number): number {
  return ATTENTION_QUERIES * 4 + attentionScratchBytes(headDim);
}

/** Scratch of what an adapter adds to a row: A x, and 16 rows of B (assembly/kernels/lora.ts). */
export function lowRankScratchBytes(rank: number): number {
  return 4 * align(rank, 16) + 64;
}

/** Scratch of a product of several rows: a group's panel, its scales and minima (assembly/kernels/panel.ts). */
export function matmulScratchBytes(columns: number): number {
  return 32 * columns + 2 * (columns / 16) * 64;
}
