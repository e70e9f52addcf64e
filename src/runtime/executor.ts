/**
 * Runs a linked program over batches of token rows (runtime/types.ts, `Executor`).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Instance } from "./kernels.ts";
import { CachedSequence, KvCache, noPages } from "./kv-cache.ts";
import { OP_BYTES, PAGE_TOKENS } from "./layout.ts";
import { BATCH_HEADER_BYTES, type MemoryOptions, type MemoryPlan } from "./memory-plan.ts";
import type { Output, Program } from "./program.ts";
import { type StartThread, ThreadPool } from "./threads.ts";
import type { AdapterScales, BatchItem, Executor, Sequence } from "./types.ts";

/** Goes up when the same model's keys and values change, or how they lie in a page. */
const CACHE_VERSION = 1;

interface CheckedItem {
  readonly sequence: CachedSequence;
  readonly tokens: ArrayLike<number>;
  readonly logits: BatchItem["logits"];
}

/** Sees a row of activations before it is multiplied with `weights`. */
export type Observer = (weights: readonly string[], row: Float32Array) => void;

export class WasmExecutor implements Executor {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly contextLength: number;
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  readonly pageTokens: number = PAGE_TOKENS;
  readonly pageBytes: number;
  readonly plan: MemoryPlan;
  private readonly program: Program;
  private readonly cache: KvCache;
  readonly threads: number;
  private instance: Instance | undefined;
  private pool: ThreadPool | undefined;
  private poison: unknown;
  private identity: Uint32Array | undefined;

  /** @param threads that `startThreads` will have; 1 needs no call */
  constructor(instance: Instance, program: Program, plan: MemoryPlan, options: MemoryOptions, threads: number) {
    this.threads = threads;
    this.instance = instance;
    this.program = program;
    this.plan = plan;
    this.pageBytes = plan.pageBytes;
    this.vocabSize = program.logits.width;
    this.hiddenSize = program.hidden.width;
    this.contextLength = options.contextLength;
    this.maxBatchTokens = options.maxBatchTokens;
    this.maxLogitRows = options.maxLogitRows;
    this.cache = new KvCache(instance.memory, plan, program.headPageBytes, options);
    new Int32Array(instance.memory.buffer, plan.base.program).set(program.link(plan.base, plan.pageCount));
    let at = plan.base.tables;
    for (const table of program.tables) {
      new Float32Array(instance.memory.buffer, at, table.length).set(table);
      at += Math.ceil(table.byteLength / 64) * 64;
    }
    // Tokens, positions, page tables, outputs; scales.
    const header = new Uint32Array(instance.memory.buffer, plan.base.batch, 7);
    const arrays = plan.base.batch + BATCH_HEADER_BYTES;
    for (let i = 0; i < 4; i++) header[2 + i] = arrays + i * 4 * options.maxBatchTokens;
    header[6] = arrays + 4 * (3 * options.maxBatchTokens + options.maxLogitRows);
  }

  /** Starts the helping threads, once, before the first `forward`. */
  async startThreads(startThread: StartThread): Promise<void> {
    const { base } = this.plan;
    const serve = [base.program, base.batch] as const;
    this.pool = await ThreadPool.start(this.alive(), serve, this.threads, startThread);
  }

  get freePages(): number {
    return this.cache.freePages;
  }

  pagesOf(sequences: readonly Sequence[]): number {
    return new Set((sequences as readonly CachedSequence[]).flatMap(({ pages }) => pages)).size;
  }

  /** Of the weights as they lie in memory, and of what attention reads besides. */
  fingerprint(): Uint32Array {
    const { memory } = this.alive();
    const { base, weights } = this.plan;
    const { tables, headPageBytes } = this.program;
    this.identity ??= fingerprint([
      Uint32Array.of(CACHE_VERSION, PAGE_TOKENS, this.vocabSize, ...headPageBytes),
      ...tables.map((table) => new Uint32Array(table.buffer, table.byteOffset, table.length)),
      new Uint32Array(memory.buffer, base.weights, weights / 4),
    ]);
    return this.identity;
  }

  createSequence(adapters?: AdapterScales): Sequence {
    this.alive();
    const count = this.program.adapters;
    if (adapters && (adapters.length !== count || !adapters.every(Number.isFinite)))
      throw new NibbleError("invalid_argument", `expected ${count} finite scales of adapters, got [${adapters}]`);
    return this.cache.createSequence(adapters?.some((scale) => scale !== 0) ? adapters : undefined);
  }

  /**
   * @param observe gets the input of every product, row by row; the pass then takes one thread. A row is valid until
   *   `observe` returns
   */
  forward(batch: readonly BatchItem[], observe?: Observer): Float32Array[] {
    return this.pass(batch, this.program.logits, observe);
  }

  hiddenStates(batch: readonly BatchItem[]): Float32Array[] {
    return this.pass(batch, this.program.hidden);
  }

  private pass(batch: readonly BatchItem[], output: Output, observe?: Observer): Float32Array[] {
    const { memory } = this.alive();
    const items = this.check(batch);
    const { base } = this.plan;
    const words = new Int32Array(memory.buffer, base.batch, (base.pageTables - base.batch) / 4);
    const at = (i: number): number => BATCH_HEADER_BYTES / 4 + i * this.maxBatchTokens;
    const scales = new Float32Array(memory.buffer, base.batch + 4 * (at(3) + this.maxLogitRows));
    let rows = 0;
    let outputs = 0;
    for (const { sequence, tokens, logits } of items) {
      for (let i = 0; i < this.program.adapters; i++) {
        const from = i * this.maxBatchTokens + rows;
        scales.fill(sequence.adapters?.[i] ?? 0, from, from + tokens.length);
      }
      this.cache.reserve(sequence, tokens.length);
      const table = this.cache.tableAddress(sequence.slot);
      for (let i = 0; i < tokens.length; i++) {
        words[at(0) + rows] = tokens[i]!;
        words[at(1) + rows] = sequence.length + i;
        words[at(2) + rows] = table;
        if (logits === "all" || (logits === "last" && i === tokens.length - 1)) words[at(3) + outputs++] = rows;
        rows++;
      }
    }
    words[0] = rows;
    words[1] = outputs;
    try {
      if (observe) this.runObserved(observe, rows, outputs);
      else this.run(0, output.operations, this.threads);
    } catch (cause) {
      this.poison = cause;
      this.pool?.dispose();
      throw new NibbleError("poisoned", `the instance trapped and must not be used again: ${cause}`, { cause });
    }
    for (const { sequence, tokens } of items) sequence.length += tokens.length;
    const { offset, stride, width } = output;
    const result: Float32Array[] = [];
    for (let i = 0; i < outputs; i++)
      result.push(new Float32Array(memory.buffer, base.activations + offset + i * stride, width));
    return result;
  }

  /** Operations `from` to `to` of the batch in memory. Helping threads begin with the first. */
  private run(from: number, to: number, threads: number): void {
    const { base } = this.plan;
    this.alive().kernels.run(base.program + from * OP_BYTES, to - from, base.batch, threads);
  }

  private runObserved(observe: Observer, rows: number, outputs: number): void {
    const { memory } = this.alive();
    let done = 0;
    for (const { operation, weights, rows: set, width, offset, stride } of this.program.inputs) {
      this.run(done, operation, 1);
      done = operation;
      const first = this.plan.base.activations + offset;
      for (let row = 0; row < (set === "all" ? rows : outputs); row++)
        observe(weights, new Float32Array(memory.buffer, first + row * stride, width));
    }
    this.run(done, this.program.operations, 1);
  }

  dispose(): void {
    this.pool?.dispose();
    this.pool = undefined;
    this.instance = undefined;
  }

  private alive(): Instance {
    if (!this.instance) throw new NibbleError("disposed", "this model was disposed");
    if (this.poison !== undefined)
      throw new NibbleError("poisoned", "an earlier call trapped; load the model again", { cause: this.poison });
    return this.instance;
  }

  /** Checks everything a batch can have wrong, before anything changes. */
  private check(batch: readonly BatchItem[]): CheckedItem[] {
    let rows = 0;
    let outputs = 0;
    let pages = 0;
    const items: CheckedItem[] = [];
    const seen = new Set<Sequence>();
    for (const { sequence, tokens, logits } of batch) {
      if (!(sequence instanceof CachedSequence) || sequence.cache !== this.cache)
        throw new NibbleError("invalid_argument", "expected a sequence of this model");
      sequence.check();
      if (seen.has(sequence)) throw new NibbleError("invalid_argument", "expected each sequence once in a batch");
      seen.add(sequence);
      if (sequence.length + tokens.length > this.contextLength)
        throw new NibbleError(
          "context_full",
          `expected at most ${this.contextLength} tokens, got ${sequence.length} + ${tokens.length}`,
        );
      for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i]!;
        if (!Number.isInteger(token) || token < 0 || token >= this.vocabSize)
          throw new NibbleError("invalid_argument", `expected token ids from 0 to ${this.vocabSize - 1}, got ${token}`);
      }
      rows += tokens.length;
      outputs += logits === "all" ? tokens.length : logits === "last" && tokens.length > 0 ? 1 : 0;
      pages += this.cache.pagesNeeded(sequence, tokens.length);
      items.push({ sequence, tokens, logits });
    }
    if (rows > this.maxBatchTokens)
      throw new NibbleError("invalid_argument", `expected at most ${this.maxBatchTokens} tokens a batch, got ${rows}`);
    if (outputs > this.maxLogitRows)
      throw new NibbleError(
        "invalid_argument",
        `expected at most ${this.maxLogitRows} rows with logits, got ${outputs}`,
      );
    if (pages > this.cache.freePages) throw noPages(pages, this.cache.freePages);
    return items;
  }
}
