/**
 * A stand-in for the runtime, so that the engine can be tested exactly and fast: logits are a hash of all tokens of
 * the sequence, so any wrong token, order or position changes them. Pages are counted as the real cache counts them
 * (shared by forks, copied when a shared last page is written). `next` may make one token far the likeliest.
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { Model } from "../../src/engine/model.ts";
import {
  type AdapterScales,
  type BatchItem,
  type Executor,
  logitRows,
  type Sequence,
} from "../../src/runtime/types.ts";

export interface FakeOptions {
  vocabSize?: number;
  contextLength?: number;
  pages?: number;
  pageTokens?: number;
  maxBatchTokens?: number;
  maxLogitRows?: number;
  maxSequences?: number;
  /** The number of last tokens that logits depend on. With 1, text soon repeats. Default: all. */
  memory?: number;
  bidirectional?: boolean;
  next?: (tokens: readonly number[]) => number | undefined;
  /** States of recurrent layers: sequences can then only go back to borders of pages. Default: no such layers. */
  states?: number;
}

interface Page {
  owners: number;
}

class FakeSequence implements Sequence {
  tokens: number[] = [];
  pages: Page[] = [];
  disposed = false;
  idle = false;
  readonly owner: FakeExecutor;
  readonly adapters: AdapterScales | undefined;

  constructor(owner: FakeExecutor, adapters: AdapterScales | undefined) {
    this.owner = owner;
    this.adapters = adapters;
  }
  get length(): number {
    return this.tokens.length;
  }
  fork(length: number = this.length): Sequence {
    const known = this.knownLength(length);
    const copy = this.owner.createSequence(this.adapters) as FakeSequence;
    copy.tokens = this.tokens.slice(0, known);
    copy.pages = this.pages.slice(0, Math.ceil(known / this.owner.pageTokens));
    for (const page of copy.pages) page.owners++;
    return copy;
  }
  pagesNeeded(count: number): number {
    const { pageTokens } = this.owner;
    const shared = count > 0 && this.length % pageTokens !== 0 && this.pages.at(-1)!.owners > 1;
    return Math.ceil((this.length + count) / pageTokens) - this.pages.length + (shared ? 1 : 0);
  }
  truncate(length: number): void {
    if (length > this.length) throw new NibbleError("invalid_argument", "beyond the length");
    this.tokens.length = this.knownLength(length);
    for (const page of this.pages.splice(Math.ceil(this.length / this.owner.pageTokens))) this.owner.drop(page);
  }
  knownLength(length: number): number {
    if (this.owner.stateBytes === 0 || length >= this.length) return Math.min(length, this.length);
    return length - (length % this.owner.pageTokens);
  }
  rest(): void {
    this.idle = true;
  }
  wake(): void {
    if (this.idle && this.owner.freeStates === 0) throw new NibbleError("context_full", "no free state");
    this.idle = false;
  }
  get savedLength(): number {
    return this.length - (this.length % this.owner.pageTokens);
  }
  savePages(): Uint8Array {
    const state = this.savedLength > 0 ? this.owner.stateBytes : 0;
    return new Uint8Array(
      Uint32Array.of(...this.tokens.slice(0, this.savedLength), ...Array(state / 4).fill(0)).buffer,
    );
  }
  restorePages(pages: Uint8Array, length: number): void {
    const tokens = Array.from(new Uint32Array(pages.slice().buffer)).slice(0, length);
    if (this.pagesNeeded(tokens.length) > this.owner.freePages) throw new NibbleError("context_full", "no free pages");
    this.owner.grow(this, tokens.length);
    this.tokens = tokens;
  }
  dispose(): void {
    if (this.disposed) throw new Error("sequence disposed twice");
    this.disposed = true;
    this.owner.live.delete(this);
    this.truncate(0);
  }
}

export class FakeExecutor implements Executor {
  readonly vocabSize: number;
  readonly hiddenSize: number = 8;
  readonly headSize: number;
  readonly generates: boolean = true;
  readonly poolsStates: boolean = false;
  readonly bidirectional: boolean;
  readonly contextLength: number;
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  readonly pageTokens: number;
  readonly pageBytes: number;
  readonly stateBytes: number;
  readonly maxDrafts: number;
  freePages: number;
  readonly lost: Promise<NibbleError> = new Promise(() => {});
  readonly next: FakeOptions["next"];
  readonly live: Set<FakeSequence> = new Set<FakeSequence>();
  /** Rows of every forward call, for each item. */
  readonly batches: number[][] = [];
  /** Called before each forward; may throw. */
  onForward: ((batch: readonly BatchItem[]) => void) | undefined;
  disposed: boolean = false;
  /** Calls of `forwardSome`. */
  some: number = 0;
  readonly #maxSequences: number;
  readonly #states: number;
  readonly #rows: Float32Array[];
  readonly #memory: number;

  constructor(options: FakeOptions = {}) {
    this.vocabSize = options.vocabSize ?? 300;
    this.headSize = this.vocabSize;
    this.bidirectional = options.bidirectional ?? false;
    this.contextLength = options.contextLength ?? 256;
    this.maxBatchTokens = options.maxBatchTokens ?? 32;
    this.maxLogitRows = options.maxLogitRows ?? 8;
    this.pageTokens = options.pageTokens ?? 8;
    this.pageBytes = 4 * this.pageTokens; // a page holds its tokens
    this.freePages = options.pages ?? 64;
    this.stateBytes = options.states ? 16 : 0;
    this.maxDrafts = options.states ? 2 : Infinity;
    this.#states = options.states ?? Infinity;
    this.#maxSequences = options.maxSequences ?? 64;
    this.next = options.next;
    this.#memory = options.memory ?? Infinity;
    this.#rows = Array.from({ length: this.maxBatchTokens }, () => new Float32Array(this.vocabSize));
  }

  get freeStates(): number {
    return this.#states - [...this.live].filter(({ idle }) => !idle).length;
  }

  pagesOf(sequences: readonly Sequence[]): number {
    return new Set((sequences as readonly FakeSequence[]).flatMap(({ pages }) => pages)).size;
  }

  fingerprint(): Uint32Array {
    return Uint32Array.of(1, 2, 3, this.vocabSize);
  }

  createSequence(adapters?: AdapterScales): Sequence {
    if (this.disposed) throw new NibbleError("disposed", "executor is disposed");
    if (this.live.size === this.#maxSequences) throw new NibbleError("context_full", "no free sequence");
    if (this.freeStates === 0) throw new NibbleError("context_full", "no free state");
    const sequence = new FakeSequence(this, adapters);
    this.live.add(sequence);
    return sequence;
  }

  /** A hash of all tokens of the sequence, as logits are. */
  hiddenStates(batch: readonly BatchItem[]): Float32Array[] {
    return this.#pass(batch, this.maxBatchTokens).map((row) => row.subarray(0, this.hiddenSize));
  }

  forward(batch: readonly BatchItem[]): Float32Array[] {
    return this.#pass(batch, this.maxLogitRows);
  }

  runHead(states: readonly Float32Array[]): Float32Array[] {
    return states.map((state) => fakeLogits(Array.from(state, Math.fround), new Float32Array(this.headSize)));
  }

  #pass(batch: readonly BatchItem[], maxOutputs: number): Float32Array[] {
    if (this.disposed) throw new NibbleError("disposed", "executor is disposed");
    this.onForward?.(batch);
    const rows = batch.reduce((sum, { tokens }) => sum + tokens.length, 0);
    if (rows === 0 || rows > this.maxBatchTokens) throw new NibbleError("invalid_argument", `${rows} rows in a batch`);
    for (const { sequence, tokens } of batch) {
      const fake = sequence as FakeSequence;
      if (fake.disposed) throw new NibbleError("disposed", "sequence is disposed");
      if (this.bidirectional && fake.length > 0) throw new NibbleError("invalid_argument", "the sequence is not empty");
      if (fake.idle) throw new NibbleError("invalid_argument", "the sequence rests");
      if (fake.length + tokens.length > this.contextLength) throw new NibbleError("context_full", "beyond the context");
    }
    if (batch.reduce((sum, { sequence, tokens }) => sum + sequence.pagesNeeded(tokens.length), 0) > this.freePages) {
      throw new NibbleError("context_full", "no free pages");
    }
    this.batches.push(batch.map(({ tokens }) => tokens.length));
    for (const row of this.#rows) row.fill(Number.NaN); // views of earlier calls are not valid any more
    const out: Float32Array[] = [];
    for (const item of batch) {
      const fake = item.sequence as FakeSequence;
      this.grow(fake, item.tokens.length);
      for (let i = 0; i < item.tokens.length; i++) {
        fake.tokens.push(item.tokens[i]!);
        const wanted = item.logits === "first" ? i === 0 : i >= item.tokens.length - logitRows(item);
        if (!wanted) continue;
        if (out.length === maxOutputs) throw new NibbleError("invalid_argument", "too many rows with logits");
        const scales = (fake.adapters ?? []).map((scale) => Math.round(1000 * scale));
        const seen = [...scales, ...fake.tokens.slice(-this.#memory)];
        out.push(fakeLogits(seen, this.#rows[out.length]!, this.next && (() => this.next!(fake.tokens))));
      }
    }
    return out;
  }

  /** Other tokens have logits that no one may look at. */
  forwardSome(batch: readonly BatchItem[], tokens: readonly number[]): Float32Array[] {
    this.some++;
    const wanted = new Set(tokens);
    const rows = this.forward(batch);
    for (const row of rows) for (let id = 0; id < row.length; id++) if (!wanted.has(id)) row[id] = Number.NaN;
    return rows;
  }

  dispose(): void {
    this.disposed = true;
  }

  drop(page: Page): void {
    if (--page.owners === 0) this.freePages++;
  }

  grow(fake: FakeSequence, count: number): void {
    if (fake.length % this.pageTokens !== 0 && fake.pages.at(-1)!.owners > 1) {
      this.drop(fake.pages.pop()!);
      fake.pages.push({ owners: 1 });
      this.freePages--;
    }
    while (fake.pages.length < Math.ceil((fake.length + count) / this.pageTokens)) {
      fake.pages.push({ owners: 1 });
      this.freePages--;
    }
  }
}

/** Whether no request or session has pages, and all pages that ended ones left can be freed. */
export function isIdle(model: Model, executor: FakeExecutor, pages: number): boolean {
  const { requests, usedPages } = model.stats();
  model.clearPrefixCache();
  return requests === 0 && usedPages === 0 && executor.freePages === pages && executor.live.size === 0;
}

/** Logits in [-8, 8) for the token after `tokens`. */
export function fakeLogits(tokens: readonly number[], row: Float32Array, next?: FakeOptions["next"]): Float32Array {
  let hash = 0x811c9dc5;
  for (const id of tokens) hash = Math.imul(hash ^ id, 0x01000193) ^ (hash >>> 15);
  for (let id = 0; id < row.length; id++) {
    let x = Math.imul(hash ^ Math.imul(id + 1, 0x9e3779b1), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    row[id] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 28 - 8;
  }
  const forced = next?.(tokens);
  if (forced !== undefined) row[forced] = 30;
  return row;
}
