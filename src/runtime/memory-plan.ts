/**
 * One linear memory, planned from the header before the first weight byte is read:
 * `[constants | program | tables | activations | KV pages | weights]`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { rowBytes } from "../formats/tensor-types.ts";
import { MAX_MEMORY_BYTES, RESERVED_BYTES } from "./kernels.ts";
import { align, GROUP_ROWS, PAGE_TOKENS } from "./layout.ts";
import { frequencyOffsets } from "./linker.ts";
import { batchBytes, OPERATION_BYTES } from "./operations.ts";
import type { Program } from "./program.ts";

export interface MemoryOptions {
  /** Tokens that all sequences together can cache. */
  readonly cacheTokens: number;
  /** Most tokens of one sequence. */
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  /** Most bytes that the plan may take. */
  readonly memoryLimit: number;
}

/** Sizes in bytes, and where each region begins. */
export interface MemoryPlan {
  /** Bytes of the kernels' constants. */
  readonly constants: number;
  /** Bytes of the program and the batch. */
  readonly program: number;
  /** Page tables and RoPE's frequencies. */
  readonly tables: number;
  /** Bytes of activations. */
  readonly activations: number;
  /** Bytes of the key-value cache. */
  readonly kvCache: number;
  /** Bytes of weights. */
  readonly weights: number;
  /** Bytes of all parts. */
  readonly total: number;
  /** Offset of each part in the memory. */
  readonly base: {
    readonly program: number;
    readonly batch: number;
    readonly pageTables: number;
    readonly frequencies: number;
    readonly activations: number;
    readonly pages: number;
    readonly weights: number;
  };
  /** Bytes per page of the key-value cache. */
  readonly pageBytes: number;
  /** Pages of the key-value cache. */
  readonly pageCount: number;
  /** Bytes that weights pass through on their way into tiles. They are part of the activations, which have no use yet. */
  readonly stagingBytes: number;
}

/** Weights are read in pieces of 1 MiB, which costs no more than reading a file at once. */
const STAGING_BYTES = 2 ** 20;

/**
 * Lays out the memory for a program.
 * @throws NibbleError `out_of_memory` with figures, where the plan exceeds `memoryLimit` or what wasm32 can address
 */
export function planMemory(program: Program, options: MemoryOptions): MemoryPlan {
  const { contextLength, maxSequences } = options;
  const pageCount = Math.ceil(options.cacheTokens / PAGE_TOKENS);
  let stagingBytes = STAGING_BYTES;
  for (const { kind, info, type, columns } of program.weights.placements) {
    const least = kind === "matrix" ? GROUP_ROWS * rowBytes(type, columns) : info.byteLength;
    stagingBytes = Math.max(stagingBytes, least);
  }
  const code = align(program.operations * OPERATION_BYTES);
  const batch = align(batchBytes(options, program.adapters));
  const pageTables = align(maxSequences * Math.ceil(contextLength / PAGE_TOKENS) * 4);
  const frequencies = frequencyOffsets(program.frequencies).at(-1)!;
  const activations = align(Math.max(program.activationBytes, stagingBytes));
  const kvCache = align(pageCount * program.pageBytes);
  const weights = align(program.weights.bytes);
  const base = {
    program: RESERVED_BYTES,
    batch: 0,
    pageTables: 0,
    frequencies: 0,
    activations: 0,
    pages: 0,
    weights: 0,
  };
  base.batch = base.program + code;
  base.pageTables = base.batch + batch;
  base.frequencies = base.pageTables + pageTables;
  base.activations = base.frequencies + frequencies;
  base.pages = base.activations + activations;
  base.weights = base.pages + kvCache;
  const total = base.weights + weights;
  const plan: MemoryPlan = {
    constants: RESERVED_BYTES,
    program: code + batch,
    tables: pageTables + frequencies,
    activations,
    kvCache,
    weights,
    total,
    base,
    pageBytes: program.pageBytes,
    pageCount,
    stagingBytes,
  };
  const limit = Math.min(options.memoryLimit, MAX_MEMORY_BYTES);
  if (total > limit) throw new NibbleError("out_of_memory", tooLarge(plan, limit, options));
  return plan;
}

function tooLarge(plan: MemoryPlan, limit: number, options: MemoryOptions): string {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return (
    `expected at most ${mib(limit)}, the plan takes ${mib(plan.total)}: weights ${mib(plan.weights)}, ` +
    `KV cache ${mib(plan.kvCache)} (${options.cacheTokens} tokens), activations ${mib(plan.activations)}`
  );
}
