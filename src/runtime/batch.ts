/**
 * Checks batches, and writes them for the interpreter (`Batch` in assembly/batch.ts).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { SMALL_BATCH } from "./barriers.ts";
import { CachedSequence, type KvCache, noPages } from "./kv-cache.ts";
import type { MemoryOptions, MemoryPlan } from "./memory-plan.ts";
import { BATCH_HEADER_BYTES, batchWord } from "./operations.ts";
import type { Program } from "./program.ts";
import type { ReservedState } from "./states.ts";
import { type BatchItem, logitRows, type Sequence } from "./types.ts";

/** An item whose sequence and tokens are valid. */
export interface CheckedItem {
  readonly sequence: CachedSequence;
  readonly tokens: ArrayLike<number>;
  readonly logits: BatchItem["logits"];
  readonly types: BatchItem["types"];
  readonly drafts: number;
}

export type BatchLimits = Pick<MemoryOptions, "contextLength" | "maxBatchTokens"> & {
  readonly vocabSize: number;
  readonly bidirectional: boolean;
};

/**
 * Checks a batch completely, before anything changes.
 * @param maxOutputs most rows that may be asked for
 * @throws NibbleError `invalid_argument`, `disposed`, `context_full`
 */
export function checkBatch(
  batch: readonly BatchItem[],
  cache: KvCache,
  limits: BatchLimits,
  maxOutputs: number,
): CheckedItem[] {
  const { maxBatchTokens } = limits;
  const items: CheckedItem[] = [];
  const seen = new Set<Sequence>();
  let rows = 0;
  let outputs = 0;
  let pages = 0;
  for (const item of batch) {
    const checked = checkItem(item, cache, limits);
    const { sequence, tokens } = checked;
    if (seen.has(sequence)) throw new NibbleError("invalid_argument", "expected each sequence once in a batch");
    seen.add(sequence);
    rows += tokens.length;
    outputs += logitRows(checked);
    pages += cache.pagesNeeded(sequence, tokens.length);
    items.push(checked);
  }
  if (rows > maxBatchTokens)
    throw new NibbleError("invalid_argument", `expected at most ${maxBatchTokens} tokens per batch, got ${rows}`);
  if (outputs > maxOutputs)
    throw new NibbleError("invalid_argument", `expected at most ${maxOutputs} rows with logits, got ${outputs}`);
  if (pages > cache.freePages) throw noPages(pages, cache.freePages);
  return items;
}

function checkItem(
  { sequence, tokens, logits, types, drafts = 0 }: BatchItem,
  cache: KvCache,
  { contextLength, vocabSize, bidirectional }: BatchLimits,
): CheckedItem {
  if (!(sequence instanceof CachedSequence) || sequence.cache !== cache)
    throw new NibbleError("invalid_argument", "expected a sequence of this model");
  sequence.check();
  if (sequence.idle) throw new NibbleError("invalid_argument", "expected a sequence that does not rest");
  if (sequence.length + tokens.length > contextLength)
    throw new NibbleError(
      "context_full",
      `expected at most ${contextLength} tokens, got ${sequence.length} + ${tokens.length}`,
    );
  if (bidirectional && sequence.length > 0)
    throw new NibbleError(
      "invalid_argument",
      "expected an empty sequence: tokens of this model attend to the whole text",
    );
  if (types && types.length !== tokens.length)
    throw new NibbleError("invalid_argument", `expected ${tokens.length} token types, got ${types.length}`);
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
      throw new NibbleError("invalid_argument", `expected token ids from 0 to ${vocabSize - 1}, got ${token}`);
  }
  if (typeof logits === "number" && !(Number.isInteger(logits) && logits >= 0 && logits <= tokens.length))
    throw new NibbleError("invalid_argument", `expected logits of 0 to ${tokens.length} tokens, got ${logits}`);
  return { sequence, tokens, logits, types, drafts: Math.min(drafts, tokens.length - 1) };
}

type BatchArray = "tokens" | "positions" | "pageTables" | "outputs" | "types" | "states" | "snapshots" | "loraScales";

/** Writes batches into the memory that the plan keeps for them. */
export class BatchWriter {
  private readonly memory: WebAssembly.Memory;
  private readonly header: number;
  private readonly adapters: number;
  private readonly threads: number;
  private readonly maxBatchTokens: number;
  /** Addresses of the arrays. */
  private readonly arrays: Readonly<Record<BatchArray, number>>;

  constructor(
    memory: WebAssembly.Memory,
    { base }: MemoryPlan,
    { maxBatchTokens }: MemoryOptions,
    { adapters, threads }: Pick<Program, "adapters" | "threads">,
  ) {
    this.memory = memory;
    this.threads = threads;
    this.header = base.batch;
    this.adapters = adapters;
    this.maxBatchTokens = maxBatchTokens;
    const first = base.batch + BATCH_HEADER_BYTES;
    const step = 4 * maxBatchTokens;
    this.arrays = {
      tokens: first,
      positions: first + step,
      pageTables: first + 2 * step,
      outputs: first + 3 * step,
      types: first + 4 * step,
      states: first + 5 * step,
      snapshots: first + 6 * step,
      loraScales: first + 7 * step,
    };
    const words = new Uint32Array(memory.buffer, this.header, BATCH_HEADER_BYTES / 4);
    for (const [field, address] of Object.entries(this.arrays))
      words[batchWord(field as keyof BatchWriter["arrays"])] = address;
  }

  /**
   * Writes the rows of the items, whose pages and states are reserved. Returns how many rows there are, and how many want
   * logits.
   */
  write(items: readonly CheckedItem[], states: readonly ReservedState[]): { rows: number; outputs: number } {
    const words = new Int32Array(this.memory.buffer);
    const [tokensAt, positionsAt, tablesAt, outputsAt, typesAt] = [
      this.arrays.tokens / 4,
      this.arrays.positions / 4,
      this.arrays.pageTables / 4,
      this.arrays.outputs / 4,
      this.arrays.types / 4,
    ];
    const [statesAt, snapshotsAt] = [this.arrays.states / 4, this.arrays.snapshots / 4];
    let rows = 0;
    let outputs = 0;
    for (const [index, item] of items.entries()) {
      const { sequence, tokens, logits, types } = item;
      const wanted = logitRows(item);
      const { address, snapshots } = states[index]!;
      words.fill(address, statesAt + rows, statesAt + rows + tokens.length);
      words.fill(0, snapshotsAt + rows, snapshotsAt + rows + tokens.length);
      for (const { row, address: copy } of snapshots) words[snapshotsAt + rows + row] = copy;
      this.writeLoraScales(sequence, rows, tokens.length);
      const table = sequence.cache.tableAddress(sequence.table);
      for (let i = 0; i < tokens.length; i++) {
        words[tokensAt + rows] = tokens[i]!;
        words[positionsAt + rows] = sequence.length + i;
        words[tablesAt + rows] = table;
        words[typesAt + rows] = types?.[i] ?? 0;
        const isOutput = logits === "first" ? i === 0 : i >= tokens.length - wanted;
        if (isOutput) words[outputsAt + outputs++] = rows;
        rows++;
      }
    }
    this.setRows(rows, outputs);
    return { rows, outputs };
  }

  /** Writes how many rows the batch has, and how many of them are output rows. */
  setRows(rows: number, outputs: number): void {
    const words = new Int32Array(this.memory.buffer);
    words[this.header / 4 + batchWord("rows")] = rows;
    words[this.header / 4 + batchWord("outputRows")] = outputs;
    words[this.header / 4 + batchWord("split")] = this.threads === 1 || rows > SMALL_BATCH ? 1 : 0;
  }

  private writeLoraScales({ adapters }: CachedSequence, row: number, count: number): void {
    const scales = new Float32Array(this.memory.buffer, this.arrays.loraScales, this.adapters * this.maxBatchTokens);
    for (let i = 0; i < this.adapters; i++) {
      const from = i * this.maxBatchTokens + row;
      scales.fill(adapters?.[i] ?? 0, from, from + count);
    }
  }
}
