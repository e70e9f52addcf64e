/**
 * One linear memory, planned from the header before the first weight byte is read:
 * `[constants | program | tables | activations | KV pages | states | weights]`.
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
  /** States of recurrent layers: of sequences, and copies of them. Default: `defaultStates`. */
  readonly maxStates?: number | undefined;
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
  /** Bytes of the states of recurrent layers, for sequences and for copies. */
  readonly states: number;
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
    readonly states: number;
    readonly weights: number;
  };
  /** Bytes per page of the key-value cache. */
  readonly pageBytes: number;
  /** Pages of the key-value cache. */
  readonly pageCount: number;
  /** Bytes of a state of the recurrent layers; 0 without such layers. */
  readonly stateBytes: number;
  /** States that the plan has room for. */
  readonly stateCount: number;
  /**
   * Bytes of the staging buffer, through which weights are repacked into tiles. It lies in the activations, which are
   * unused while loading.
   */
  readonly stagingBytes: number;
}

/** Weights are read in pieces of 1 MiB, which costs no more than reading a file at once. */
const STAGING_BYTES = 2 ** 20;

/** Bytes that states take where the options do not say. A state of LFM2-350M takes 80 KiB, of Qwen3.5-0.8B 19 MiB. */
const DEFAULT_STATES_BYTES = 2 ** 27;
const MIN_DEFAULT_STATES = 4;

/** As many states as fit into 128 MiB, at least 4; no more than one for each sequence and each page can be of use. */
function defaultStates(stateBytes: number, { maxSequences }: MemoryOptions, pageCount: number): number {
  return Math.min(
    Math.max(Math.floor(DEFAULT_STATES_BYTES / stateBytes), MIN_DEFAULT_STATES),
    maxSequences + pageCount,
  );
}

/**
 * Lays out the memory for a program.
 * @throws NibbleError `out_of_memory` with figures, where the plan exceeds `memoryLimit` or what wasm32 can address
 */
export function planMemory(program: Program, options: MemoryOptions): MemoryPlan {
  const pageCount = Math.ceil(options.cacheTokens / PAGE_TOKENS);
  const stagingBytes = stagingBytesOf(program);
  const { stateBytes } = program;
  const stateCount = stateBytes === 0 ? 0 : (options.maxStates ?? defaultStates(stateBytes, options, pageCount));
  const tablePages = Math.ceil(options.contextLength / PAGE_TOKENS);
  // The regions in their order in memory, each at a multiple of ALIGNMENT.
  const { base, bytes, end } = layOut({
    program: program.threads * program.operations * OPERATION_BYTES,
    batch: batchBytes(options, program.adapters),
    pageTables: 4 * options.maxSequences * tablePages,
    frequencies: frequencyOffsets(program.frequencies).at(-1)!,
    activations: Math.max(program.activationBytes, stagingBytes),
    pages: pageCount * program.pageBytes,
    states: stateCount * stateBytes,
    weights: program.weights.bytes,
  });
  const plan: MemoryPlan = {
    constants: RESERVED_BYTES,
    program: bytes.program + bytes.batch,
    tables: bytes.pageTables + bytes.frequencies,
    activations: bytes.activations,
    kvCache: bytes.pages,
    states: bytes.states,
    weights: bytes.weights,
    total: end,
    base,
    pageBytes: program.pageBytes,
    pageCount,
    stateBytes,
    stateCount,
    stagingBytes,
  };
  const limit = Math.min(options.memoryLimit, MAX_MEMORY_BYTES);
  if (end > limit) throw new NibbleError("out_of_memory", tooLarge(plan, limit, options));
  return plan;
}

/** Room for a piece of weights: at least a group of rows of each matrix, and each vector. */
function stagingBytesOf({ weights }: Program): number {
  const least = weights.placements.map(({ kind, info, type, columns }) =>
    kind === "matrix" ? GROUP_ROWS * rowBytes(type, columns) : info.byteLength,
  );
  return least.reduce((most, bytes) => Math.max(most, bytes), STAGING_BYTES);
}

type Regions = Record<keyof MemoryPlan["base"], number>;

/** Places regions of these sizes one after the other, from the end of the module's constants on. */
function layOut(sizes: Regions): { base: Regions; bytes: Regions; end: number } {
  const base = { ...sizes };
  const bytes = { ...sizes };
  let end = RESERVED_BYTES;
  for (const region of Object.keys(sizes) as (keyof Regions)[]) {
    base[region] = end;
    bytes[region] = align(sizes[region]);
    end += bytes[region];
  }
  return { base, bytes, end };
}

function tooLarge(plan: MemoryPlan, limit: number, options: MemoryOptions): string {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const states = plan.stateCount > 0 ? `states ${mib(plan.states)} (${plan.stateCount}, maxStates), ` : "";
  return (
    `expected at most ${mib(limit)}, the plan takes ${mib(plan.total)}: weights ${mib(plan.weights)}, ` +
    `KV cache ${mib(plan.kvCache)} (${options.cacheTokens} tokens), ${states}activations ${mib(plan.activations)}`
  );
}
