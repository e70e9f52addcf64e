/**
 * Runs a linked program over batches of token rows (`Executor` in types.ts).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { BatchWriter, type CheckedItem, checkBatch } from "./batch.ts";
import { fingerprint } from "./fingerprint.ts";
import { Head } from "./head.ts";
import type { Instance } from "./kernels.ts";
import { type CachedSequence, KvCache } from "./kv-cache.ts";
import { PAGE_TOKENS } from "./layout.ts";
import { frequencyOffsets } from "./linker.ts";
import type { MemoryOptions, MemoryPlan } from "./memory-plan.ts";
import { OPERATION_BYTES } from "./operations.ts";
import type { Output, Program } from "./program.ts";
import { type StartThread, ThreadPool, type Waits } from "./threads.ts";
import type { AdapterScales, BatchItem, Executor, Sequence } from "./types.ts";

/**
 * Must be raised when the same model gets other keys and values, or another layout of pages, so that old session files
 * are refused.
 */
const CACHE_VERSION = 2;

export interface ExecutorParts {
  /** An instance with a memory of the planned size. */
  readonly instance: Instance;
  readonly program: Program;
  readonly plan: MemoryPlan;
  readonly options: MemoryOptions;
  /** Threads that will compute, the caller's included. With 1, `startThreads` need not be called. */
  readonly threads: number;
  /** Whether V8's revectorizer compiled the instance's module. */
  readonly revectorized?: boolean;
}

/** Receives a row of activations before it is multiplied with the matrices `weights`. */
export type Observer = (weights: readonly string[], row: Float32Array) => void;

export class WasmExecutor implements Executor {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly headSize: number;
  readonly generates: boolean;
  readonly poolsStates: boolean;
  readonly bidirectional: boolean;
  readonly contextLength: number;
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  readonly pageTokens: number = PAGE_TOKENS;
  readonly pageBytes: number;
  readonly stateBytes: number;
  readonly plan: MemoryPlan;
  readonly threads: number;
  readonly revectorized: boolean;
  private readonly program: Program;
  private readonly cache: KvCache;
  private readonly batch: BatchWriter;
  private readonly head: Head | undefined;
  private instance: Instance | undefined;
  private pool: ThreadPool | undefined;
  readonly lost: Promise<NibbleError>;
  private poison: NibbleError | undefined;
  private tellLost: (error: NibbleError) => void = () => {};
  private identity: Uint32Array | undefined;

  /** Links the program into the instance's memory. */
  constructor({ instance, program, plan, options, threads, revectorized = false }: ExecutorParts) {
    this.lost = new Promise((resolve) => {
      this.tellLost = resolve;
    });
    this.threads = threads;
    this.revectorized = revectorized;
    this.instance = instance;
    this.program = program;
    this.plan = plan;
    this.pageBytes = plan.pageBytes;
    this.stateBytes = plan.stateBytes;
    this.vocabSize = program.vocabSize;
    this.hiddenSize = program.hidden.width;
    this.headSize = program.logits.width;
    this.generates = program.generates;
    this.poolsStates = program.poolsStates;
    this.bidirectional = program.bidirectional;
    this.contextLength = options.contextLength;
    this.maxBatchTokens = options.maxBatchTokens;
    this.maxLogitRows = options.maxLogitRows;
    const { memory } = instance;
    this.cache = new KvCache(memory, plan, program.headPageBytes, options);
    this.batch = new BatchWriter(memory, plan, options, program);
    const words = program.link(plan.base, { pageCount: plan.pageCount, packed: revectorized });
    new Int32Array(memory.buffer, plan.base.program).set(words);
    this.head = Head.of(program, new Int32Array(memory.buffer, plan.base.program, words.length));
    const offsets = frequencyOffsets(program.frequencies);
    for (const [i, table] of program.frequencies.entries())
      new Float32Array(memory.buffer, plan.base.frequencies + offsets[i]!, table.length).set(table);
  }

  /** Starts the helping threads, once, before the first `forward`. */
  async startThreads(startThread: StartThread): Promise<void> {
    const { base } = this.plan;
    const programs = Array.from(
      { length: this.threads },
      (_, thread) => base.program + thread * this.program.operations * OPERATION_BYTES,
    );
    this.pool = await ThreadPool.start(this.alive(), programs, base.batch, startThread);
    this.pool.watch((reason) => this.lose(`a thread has ended: ${reason}`, reason));
  }

  /** The caller's waits for its helping threads, over all calls so far. */
  get waits(): Waits {
    return this.pool?.waits ?? { barriers: 0, seconds: 0 };
  }

  get freePages(): number {
    return this.cache.freePages;
  }

  get freeStates(): number {
    return this.cache.states.free;
  }

  get maxDrafts(): number {
    return this.cache.states.maxDrafts;
  }

  pagesOf(sequences: readonly Sequence[]): number {
    return new Set((sequences as readonly CachedSequence[]).flatMap(({ pages }) => pages)).size;
  }

  /** A hash of the weights as they lie in memory, and of everything else that the keys and values depend on. */
  fingerprint(): Uint32Array {
    const { memory } = this.alive();
    const { base, weights } = this.plan;
    const { frequencies, ropeFactors, headPageBytes, stateBytes, constants } = this.program;
    const factors = Float32Array.from(ropeFactors.filter((factor) => factor !== 1));
    this.identity ??= fingerprint([
      Uint32Array.of(
        CACHE_VERSION,
        PAGE_TOKENS,
        this.vocabSize,
        ...headPageBytes,
        ...(stateBytes > 0 ? [stateBytes] : []),
      ),
      ...frequencies.map((table) => new Uint32Array(table.buffer, table.byteOffset, table.length)),
      ...(factors.length > 0 ? [new Uint32Array(factors.buffer)] : []),
      new Uint32Array(constants.buffer),
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
   * @param observe is called with the input of every matmul, row by row; the pass then runs on one thread. A row is
   *   valid until `observe` returns
   */
  forward(batch: readonly BatchItem[], observe?: Observer): Float32Array[] {
    const items = checkBatch(batch, this.cache, this, this.maxLogitRows);
    const { logits } = this.program;
    return this.pass(items, logits, (rows, outputs) => {
      if (observe) this.runObserved(observe, rows, outputs);
      else this.run(0, logits.operations, this.threads);
    });
  }

  forwardSome(batch: readonly BatchItem[], tokens: readonly number[]): Float32Array[] {
    const { head } = this;
    const ranges = head?.ranges(tokens);
    if (!head || !ranges) return this.forward(batch);
    const items = checkBatch(batch, this.cache, this, this.maxLogitRows);
    const { hidden, logits } = this.program;
    return this.pass(items, logits, () => {
      this.run(0, hidden.operations, this.threads);
      head.run(ranges, (from, to) => this.run(from, to, 1));
    });
  }

  hiddenStates(batch: readonly BatchItem[]): Float32Array[] {
    const items = checkBatch(batch, this.cache, this, this.maxBatchTokens);
    const { hidden } = this.program;
    return this.pass(items, hidden, () => this.run(0, hidden.operations, this.threads));
  }

  runHead(states: readonly Float32Array[]): Float32Array[] {
    const { memory } = this.alive();
    const { hidden, logits } = this.program;
    const wrong = states.find(({ length }) => length !== hidden.width);
    if (wrong || states.length > this.maxLogitRows)
      throw new NibbleError(
        "invalid_argument",
        `expected at most ${this.maxLogitRows} states of ${hidden.width} numbers, got ${wrong ? `one of ${wrong.length}` : states.length}`,
      );
    const first = this.plan.base.activations + hidden.offset;
    for (const [i, state] of states.entries())
      new Float32Array(memory.buffer, first + i * hidden.stride, hidden.width).set(state);
    this.batch.setRows(0, states.length);
    this.guarded(() => this.run(hidden.operations, logits.operations, 1));
    return this.rowsOf(logits, states.length);
  }

  /** @param run computes the batch that is in memory: so many rows, of which so many are output rows */
  private pass(
    items: readonly CheckedItem[],
    output: Output,
    run: (rows: number, outputs: number) => void,
  ): Float32Array[] {
    this.alive();
    for (const { sequence, tokens } of items) this.cache.reserve(sequence, tokens.length);
    const states = this.cache.states.reserve(
      items.map(({ sequence, tokens, drafts }) => ({ sequence, count: tokens.length, drafts })),
    );
    const { rows, outputs } = this.batch.write(items, states);
    this.guarded(() => run(rows, outputs));
    this.pool?.count();
    for (const { sequence, tokens } of items) sequence.length += tokens.length;
    return this.rowsOf(output, outputs);
  }

  /** After a trap the instance is not used again. */
  private guarded(run: () => void): void {
    try {
      run();
    } catch (cause) {
      throw this.lose(`the instance trapped and must not be used again: ${cause}`, cause);
    }
  }

  /** Ends the helping threads and refuses all later calls. */
  private lose(message: string, cause: unknown): NibbleError {
    this.poison ??= new NibbleError("poisoned", message, { cause });
    this.pool?.dispose();
    this.tellLost(this.poison);
    return this.poison;
  }

  private rowsOf({ offset, stride, width }: Output, count: number): Float32Array[] {
    const { memory } = this.alive();
    const first = this.plan.base.activations + offset;
    return Array.from({ length: count }, (_, i) => new Float32Array(memory.buffer, first + i * stride, width));
  }

  /** Runs operations `from` to `to` on the batch in memory. Helping threads always begin with the first operation. */
  private run(from: number, to: number, threads: number): void {
    const { base } = this.plan;
    this.alive().kernels.run(base.program + from * OPERATION_BYTES, to - from, base.batch, threads);
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
      throw new NibbleError("poisoned", `load the model again, since ${this.poison.message}`, { cause: this.poison });
    return this.instance;
  }
}
