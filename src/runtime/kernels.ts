/**
 * The WebAssembly module: which build an engine can run, and the types of its exports.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** `threads` is `relaxed` with a shared memory. */
export const BUILDS = ["simd", "relaxed", "threads"] as const;
/** A WebAssembly build: `simd` runs everywhere, `relaxed` and `threads` need newer engines. */
export type Build = (typeof BUILDS)[number];

/** The exports that the host calls (assembly/index.ts). Addresses are byte offsets into the memory. */
export interface Kernels {
  heapBase(): number;
  /** Runs a batch as thread 0, while the other threads are in `serve`. */
  run(program: number, count: number, batch: number, threads: number): void;
  /** Runs one thread's share of every operation, without the other threads. Tests use it. */
  execute(program: number, count: number, batch: number, thread: number, threads: number): void;
  serve(program: number, own: number, batch: number, thread: number, threads: number): void;
  /** Loads a word of the batch until it is not `seen`, at most `limit` times. */
  spin(batch: number, word: number, seen: number, limit: number): number;
  /** Repacks rows of a file into tiles. Returns 1 where a weight or scale is not finite. */
  repack(dst: number, src: number, rows: number, columns: number, type: number): number;
  /** Converts a vector to f32. Returns 1 where a value is not finite. */
  widen(dst: number, src: number, count: number, type: number): number;
  attentionScratchBytes(headDim: number): number;
}

/**
 * A module with one relaxed instruction:
 * `(func (result v128) (i16x8.relaxed_dot_i8x16_i7x16_s (i8x16.splat (i32.const 0)) (i8x16.splat (i32.const 0))))`
 */
const RELAXED_PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00,
  0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x92, 0x02, 0x0b,
]);

/** The fastest build for this number of threads that the engine validates. All builds give the same bits. */
export function bestBuild(threads: number): Build {
  if (!WebAssembly.validate(RELAXED_PROBE)) return "simd";
  return threads > 1 ? "threads" : "relaxed";
}

const WASM_PAGE = 65536;
/** The module keeps its constants below this address; the plan begins here. */
export const RESERVED_BYTES: number = WASM_PAGE;
/** Bytes that wasm32 can address, less the last page, so that no end address wraps. */
export const MAX_MEMORY_BYTES: number = 65535 * WASM_PAGE;

/** One instance with its memory, exactly as large as the plan. */
export interface Instance {
  readonly module: WebAssembly.Module;
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
}

/**
 * Instantiates a build with `bytes` of memory.
 * @throws NibbleError `out_of_memory` with figures, where the host refuses that much
 */
export async function instantiate(module: WebAssembly.Module, bytes: number, shared: boolean): Promise<Instance> {
  const pages = Math.ceil(bytes / WASM_PAGE);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    const mib = (bytes / 2 ** 20).toFixed(1);
    throw new NibbleError("out_of_memory", `expected ${mib} MiB of WebAssembly memory, the host refused: ${cause}`, {
      cause,
    });
  }
  const abort = (): never => {
    throw new Error("abort in wasm");
  };
  const instance = await WebAssembly.instantiate(module, { env: { memory, abort } });
  const kernels = instance.exports as unknown as Kernels;
  if (kernels.heapBase() > RESERVED_BYTES) throw new Error(`constants exceed the ${RESERVED_BYTES} reserved bytes`);
  return { module, kernels, memory };
}
