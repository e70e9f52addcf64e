/**
 * From a source to a runtime: header, plan, memory, weights.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { isGguf } from "../formats/gguf/header.ts";
import { readGguf } from "../formats/gguf/model.ts";
import { splitNames } from "../formats/gguf/shards.ts";
import { readHuggingFace } from "../formats/huggingface/folder.ts";
import type { Adapter } from "../formats/lora/products.ts";
import type { ByteSource, FileSet } from "../io/byte-source.ts";
import { describeModel } from "../models/index.ts";
import { WasmExecutor } from "../runtime/executor.ts";
import { BUILDS, type Build, bestBuild, instantiate, MAX_MEMORY_BYTES } from "../runtime/kernels.ts";
import { KV_TYPES, type KvType } from "../runtime/layout.ts";
import { type MemoryOptions, type MemoryPlan, planMemory } from "../runtime/memory-plan.ts";
import type { Program } from "../runtime/program.ts";
import { type LoadProgress, loadWeights } from "../runtime/weights.ts";
import { checkAdapters, type LoraOption, withAdapters } from "./adapters.ts";
import type { Host } from "./host.ts";
import { type ModelSource, openSource } from "./source.ts";

export interface RuntimeOptions {
  /** Most tokens of one conversation. Default: what the model was made for, at most 4,096. */
  contextLength?: number;
  /** Tokens that all conversations together may cache. Default: `contextLength`. */
  cacheTokens?: number;
  /** Key-value cache: `mixed` (12-bit keys, int8 values; default), `int8` (a third smaller), or `f32`. */
  kvType?: KvType;
  /** Most tokens of one step: the prefill chunk. Default 128. */
  maxBatchTokens?: number;
  /** Most rows of one step whose logits are read. Default 16. */
  maxLogitRows?: number;
  /** Most conversations at once. Default 64. */
  maxSequences?: number;
  /** Most bytes of WebAssembly memory; a plan beyond it is refused before a weight is read. Default: 4 GiB. */
  memoryLimit?: number;
  /**
   * Threads. Default: as many as the host has cores, at most 8; 1 for models below 32 MiB, where a barrier costs more than
   * it brings, and where the engine has no relaxed SIMD.
   */
  threads?: number;
  /** The build to use. Default: the fastest that the engine validates; all give the same bits. */
  build?: Build;
  /** A compiled build, for hosts that do not allow compiling. */
  wasm?: WebAssembly.Module;
  /** Low-rank adapters, which each request may choose of. */
  lora?: readonly LoraOption[];
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

/** Every option of `load`; a misspelt one is refused, not ignored. */
const OPTION_TYPES: Readonly<Record<keyof RuntimeOptions | "name", "number" | "string" | "object" | "function">> = {
  contextLength: "number",
  cacheTokens: "number",
  kvType: "string",
  maxBatchTokens: "number",
  maxLogitRows: "number",
  maxSequences: "number",
  memoryLimit: "number",
  threads: "number",
  build: "string",
  wasm: "object",
  lora: "object",
  onProgress: "function",
  signal: "object",
  name: "string",
};

/** @throws NibbleError `invalid_argument` that names the option */
export function checkOptions(options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw new NibbleError("invalid_argument", `expected options in an object, got ${String(options)}`);
  for (const [param, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTION_TYPES, param)) {
      const known = Object.keys(OPTION_TYPES).join(", ");
      throw new NibbleError("invalid_argument", `expected an option of ${known}, got ${param}`, { param });
    }
    const type = OPTION_TYPES[param as keyof typeof OPTION_TYPES];
    if (value !== undefined && (typeof value !== type || value === null))
      throw new NibbleError(
        "invalid_argument",
        `${param}: expected a ${type}, got ${value === null ? null : typeof value}`,
        {
          param,
        },
      );
  }
  const { build, wasm, signal, lora } = options as RuntimeOptions;
  checkAdapters(lora);
  if (build !== undefined && !BUILDS.includes(build))
    throw new NibbleError("invalid_argument", `build: expected ${BUILDS.join(", ")}, got ${build}`, { param: "build" });
  if (wasm !== undefined && !(wasm instanceof WebAssembly.Module))
    throw new NibbleError("invalid_argument", "wasm: expected a WebAssembly.Module", { param: "wasm" });
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new NibbleError("invalid_argument", "signal: expected an AbortSignal", { param: "signal" });
}

/** Opens a source and reads its header. The caller closes the checkpoint. */
export async function openCheckpoint(source: ModelSource, host: Host): Promise<Checkpoint> {
  const opened = await openSource(source, host);
  if ("files" in opened) return readHuggingFace(opened.files);
  return readGgufFile(opened.file, opened.name, opened.siblings);
}

async function readGgufFile(file: ByteSource, name?: string, siblings?: FileSet): Promise<Checkpoint> {
  const shards = [file];
  try {
    const start = await file.read(0, Math.min(4, file.size));
    if (!isGguf(start)) throw new NibbleError("bad_magic", `expected a GGUF file, got one that begins ${hex(start)}`);
    const names = siblings && name ? splitNames(name.slice(name.lastIndexOf("/") + 1)) : undefined;
    for (const shard of names?.slice(1) ?? []) shards.push(await siblings!.open(shard));
    return await readGguf(shards);
  } catch (error) {
    for (const shard of shards) await shard.close?.();
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ") || "with nothing";
}

/** Everything that is known before the first weight byte. */
export interface Prepared {
  readonly program: Program;
  readonly plan: MemoryPlan;
  readonly memory: MemoryOptions;
  readonly kvType: KvType;
}

const DEFAULT_CONTEXT = 4096;

/**
 * Plans the memory for a checkpoint, from its header alone.
 * @throws NibbleError for a model that we cannot run, or that does not fit (`out_of_memory`, with figures)
 */
export async function prepare(
  checkpoint: Checkpoint,
  options: RuntimeOptions = {},
  threads = 1,
  adapters: readonly Adapter[] = [],
): Promise<Prepared> {
  const model = await describeModel(checkpoint);
  const trained = model.config.contextLength;
  const contextLength = whole("contextLength", options.contextLength ?? Math.min(trained, DEFAULT_CONTEXT), trained);
  const memory: MemoryOptions = {
    contextLength,
    cacheTokens: whole("cacheTokens", options.cacheTokens ?? contextLength, 2 ** 31),
    maxBatchTokens: whole("maxBatchTokens", options.maxBatchTokens ?? Math.min(128, contextLength), 4096),
    maxLogitRows: whole("maxLogitRows", options.maxLogitRows ?? 16, 4096),
    maxSequences: whole("maxSequences", options.maxSequences ?? 64, 65536),
    memoryLimit: whole("memoryLimit", options.memoryLimit ?? MAX_MEMORY_BYTES, Number.MAX_SAFE_INTEGER),
  };
  const kvType = options.kvType ?? "mixed";
  if (!Object.hasOwn(KV_TYPES, kvType)) {
    const known = Object.keys(KV_TYPES).join(", ");
    throw new NibbleError("invalid_argument", `expected kvType ${known}, got ${kvType}`, { param: "kvType" });
  }
  const { maxBatchTokens, maxLogitRows } = memory;
  const program = model.describe({ maxBatchTokens, maxLogitRows, kvType, threads, adapters });
  return { program, memory, kvType, plan: planMemory(program, memory) };
}

function whole(param: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new NibbleError("invalid_argument", `${param}: expected a whole number from 1 to ${max}, got ${value}`, {
      param,
    });
  return value;
}

const MAX_DEFAULT_THREADS = 8;
const WORTH_THREADS = 32 * 2 ** 20;

/** How many threads, and the build that runs them. */
async function chooseThreads(
  checkpoint: Checkpoint,
  host: Host,
  { threads, build, wasm }: RuntimeOptions,
): Promise<{ threads: number; build: Build }> {
  const fixed = wasm !== undefined || (build !== undefined && build !== "threads");
  if (threads !== undefined) {
    whole("threads", threads, 256);
    const chosen = build ?? bestBuild(threads);
    if (threads > 1 && (fixed || chosen !== "threads"))
      throw new NibbleError(
        "unsupported_host",
        `expected an engine and a build with threads, got the ${chosen} build`,
        {
          param: "threads",
        },
      );
    return { threads, build: chosen };
  }
  let bytes = 0;
  for (const { byteLength } of checkpoint.tensors.values()) bytes += byteLength;
  const able = !fixed && (build ?? bestBuild(2)) === "threads" && bytes >= WORTH_THREADS;
  const count = able ? Math.min(await host.threads(), MAX_DEFAULT_THREADS) : 1;
  return { threads: count, build: build ?? bestBuild(count) };
}

type Planned = Prepared & { readonly threads: number; readonly build: Build };

/**
 * What `loadExecutor` will do, from the header alone.
 * @throws NibbleError as `prepare`
 */
export function planExecutor(checkpoint: Checkpoint, host: Host, options: RuntimeOptions): Promise<Planned> {
  return withAdapters(options.lora, host, checkpoint, (adapters) => planWith(adapters, checkpoint, host, options));
}

async function planWith(
  adapters: readonly Adapter[],
  checkpoint: Checkpoint,
  host: Host,
  options: RuntimeOptions,
): Promise<Planned> {
  const { threads, build } = await chooseThreads(checkpoint, host, options);
  return { ...(await prepare(checkpoint, options, threads, adapters)), threads, build };
}

/**
 * Makes an executor: memory of exactly the planned size, then the weights, streamed into place while helping threads
 * start.
 * @param meanwhile runs once, while the first weights are being read
 */
export function loadExecutor(
  checkpoint: Checkpoint,
  host: Host,
  options: RuntimeOptions = {},
  meanwhile?: () => void,
): Promise<WasmExecutor> {
  return withAdapters(options.lora, host, checkpoint, async (adapters) => {
    const { program, plan, memory, threads, build } = await planWith(adapters, checkpoint, host, options);
    const module = options.wasm ?? (await host.wasm(build));
    const instance = await instantiate(module, plan.total, build === "threads");
    const executor = new WasmExecutor(instance, program, plan, memory, threads);
    const outcomes = await Promise.allSettled([
      loadWeights(instance, plan, program.weights, options, meanwhile),
      threads > 1 && executor.startThreads(host.startThread),
    ]);
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure === undefined) return executor;
    executor.dispose();
    throw failure.reason;
  });
}
