/**
 * Pages of the key-value cache: a free list, reference counts, and a page table per sequence. Sharing, forking and
 * truncating are page-table operations; only a shared page that is about to be written is copied.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { PAGE_TOKENS } from "./layout.ts";
import type { MemoryOptions, MemoryPlan } from "./memory-plan.ts";
import { type State, type StateHolder, StatePool } from "./states.ts";
import type { AdapterScales, Sequence } from "./types.ts";

export class KvCache {
  private readonly memory: WebAssembly.Memory;
  private readonly plan: MemoryPlan;
  /**
   * Bytes per page of each kv head of each layer. The pages of one kv head lie one after the other, so that attention
   * reads a sequence as one stream.
   */
  private readonly headPageBytes: readonly number[];
  private readonly pagesPerSequence: number;
  private readonly freeList: number[] = [];
  private readonly references: Uint32Array;
  /** Numbers of the page tables that no sequence uses. */
  private readonly freeTables: number[] = [];
  /** The states of recurrent layers. */
  readonly states: StatePool;

  constructor(
    memory: WebAssembly.Memory,
    plan: MemoryPlan,
    headPageBytes: readonly number[],
    { contextLength, maxSequences }: Pick<MemoryOptions, "contextLength" | "maxSequences">,
  ) {
    this.memory = memory;
    this.plan = plan;
    this.headPageBytes = headPageBytes;
    this.pagesPerSequence = Math.ceil(contextLength / PAGE_TOKENS);
    this.references = new Uint32Array(plan.pageCount);
    for (let page = plan.pageCount - 1; page >= 0; page--) this.freeList.push(page);
    this.states = new StatePool(memory, { base: plan.base.states, bytes: plan.stateBytes, count: plan.stateCount });
    for (let table = maxSequences - 1; table >= 0; table--) this.freeTables.push(table);
  }

  get freePages(): number {
    return this.freeList.length;
  }

  /** @throws NibbleError `context_full` where all sequences are in use */
  createSequence(adapters?: AdapterScales): CachedSequence {
    const table = this.freeTables.pop();
    if (table === undefined)
      throw new NibbleError(
        "context_full",
        "all sequences are in use: dispose sessions, or load with more maxSequences",
      );
    const sequence = new CachedSequence(this, table, adapters);
    try {
      this.states.enter(sequence);
    } catch (error) {
      this.freeTables.push(table);
      throw error;
    }
    return sequence;
  }

  /** Address of a page table, which holds i32 page numbers. */
  tableAddress(table: number): number {
    return this.plan.base.pageTables + table * this.pagesPerSequence * 4;
  }

  private setEntry(table: number, index: number, page: number): void {
    new Uint32Array(this.memory.buffer, this.tableAddress(table) + index * 4, 1)[0] = page;
  }

  /** Pages that appending `count` tokens takes from the free list. */
  pagesNeeded(sequence: CachedSequence, count: number): number {
    if (count === 0) return 0;
    const { pages, length } = sequence;
    const partial = length % PAGE_TOKENS !== 0 && this.references[pages[pages.length - 1]!]! > 1 ? 1 : 0;
    return Math.ceil((length + count) / PAGE_TOKENS) - pages.length + partial;
  }

  /** Makes room for `count` more tokens. The caller has checked that there are as many free pages. */
  reserve(sequence: CachedSequence, count: number): void {
    if (count === 0) return;
    const { pages, length, table } = sequence;
    const last = pages.length - 1;
    if (length % PAGE_TOKENS !== 0 && this.references[pages[last]!]! > 1) {
      const copy = this.take();
      this.copyPage(pages[last]!, copy);
      this.release(pages[last]!);
      pages[last] = copy;
      this.setEntry(table, last, copy);
    }
    while (pages.length * PAGE_TOKENS < length + count) {
      pages.push(this.take());
      this.setEntry(table, pages.length - 1, pages[pages.length - 1]!);
    }
  }

  private copyPage(from: number, to: number): void {
    const bytes = new Uint8Array(this.memory.buffer);
    let base = this.plan.base.pages;
    for (const size of this.headPageBytes) {
      bytes.copyWithin(base + to * size, base + from * size, base + (from + 1) * size);
      base += size * this.plan.pageCount;
    }
  }

  /** The tokens that `savePages` saves: those of full pages, up to a border whose state is kept. */
  savedLength(sequence: CachedSequence): number {
    const full = (length: number): number => length - (length % PAGE_TOKENS);
    let length = full(sequence.length);
    for (let known = this.states.known(sequence, length); known !== length; known = this.states.known(sequence, length))
      length = full(known);
    return length;
  }

  /** A copy of the pages of those tokens, in which the kv heads of a page lie one after the other, and of the state. */
  savePages(sequence: CachedSequence): Uint8Array {
    const length = this.savedLength(sequence);
    const count = length / PAGE_TOKENS;
    const pageBytes = count * this.plan.pageBytes;
    const result = new Uint8Array(pageBytes + (count > 0 ? this.states.bytes : 0));
    this.eachPart(sequence.pages.slice(0, count), (part, offset) => result.set(part, offset));
    const state = sequence.states.find(({ position }) => position === length);
    if (state) result.set(this.states.save(state), pageBytes);
    return result;
  }

  /** Gives an empty sequence the first `length` tokens, with the contents that `savePages` made. */
  restorePages(sequence: CachedSequence, source: Uint8Array, length: number): void {
    const count = length / PAGE_TOKENS;
    const { pageBytes } = this.plan;
    const stateBytes = count > 0 ? this.states.bytes : 0;
    if (
      sequence.length > 0 ||
      !Number.isInteger(count) ||
      count > this.pagesPerSequence ||
      source.length !== count * pageBytes + stateBytes
    ) {
      const got = `${source.length} bytes of ${length} tokens for a sequence of ${sequence.length}`;
      const state = stateBytes > 0 ? ` and a state of ${stateBytes}` : "";
      throw new NibbleError("invalid_argument", `expected whole pages of ${pageBytes} bytes${state}, got ${got}`);
    }
    if (count > this.freeList.length) throw noPages(count, this.freeList.length);
    this.reserve(sequence, length);
    this.eachPart(sequence.pages, (part, offset) => part.set(source.subarray(offset, offset + part.length)));
    if (stateBytes > 0) this.states.restore(sequence, length, source.subarray(count * pageBytes));
    sequence.length = length;
  }

  /** Calls `visit` with the part of each kv head in each page, and its offset where pages lie one after the other. */
  private eachPart(pages: readonly number[], visit: (part: Uint8Array, offset: number) => void): void {
    const { base, pageCount, pageBytes } = this.plan;
    let start = base.pages;
    let offset = 0;
    for (const size of this.headPageBytes) {
      for (const [i, page] of pages.entries())
        visit(new Uint8Array(this.memory.buffer, start + page * size, size), i * pageBytes + offset);
      start += size * pageCount;
      offset += size;
    }
  }

  private take(): number {
    const page = this.freeList.pop()!;
    this.references[page] = 1;
    return page;
  }

  private release(page: number): void {
    if (--this.references[page]! === 0) this.freeList.push(page);
  }

  /** Another sequence with the first `length` tokens, as far as its state is known. */
  fork(sequence: CachedSequence, length: number): CachedSequence {
    const copy = this.createSequence(sequence.adapters);
    copy.length = this.states.known(sequence, length);
    for (const [index, page] of sequence.pages.slice(0, Math.ceil(copy.length / PAGE_TOKENS)).entries()) {
      this.references[page]!++;
      copy.pages.push(page);
      this.setEntry(copy.table, index, page);
    }
    this.states.share(sequence, copy, copy.length);
    return copy;
  }

  /**
   * Shortens a sequence to `length` tokens, or as many as its state is known for, and gives back what it then does not
   * need.
   */
  shrink(sequence: CachedSequence, length: number): void {
    const known = this.states.known(sequence, length);
    const keep = Math.ceil(known / PAGE_TOKENS);
    while (sequence.pages.length > keep) this.release(sequence.pages.pop()!);
    sequence.length = known;
    this.states.shorten(sequence, known);
  }

  /** Gives a page table back. */
  releaseTable(table: number): void {
    this.freeTables.push(table);
  }
}

export function noPages(needed: number, free: number): NibbleError {
  return new NibbleError(
    "context_full",
    `expected ${needed} free pages of ${PAGE_TOKENS} tokens in the KV cache, got ${free}: ` +
      "dispose sessions, or load with more cacheTokens",
  );
}

/** A sequence of this cache. */
export class CachedSequence implements Sequence, StateHolder {
  readonly cache: KvCache;
  /** The number of its page table. */
  readonly table: number;
  readonly adapters: AdapterScales | undefined;
  readonly pages: number[] = [];
  states: State[] = [];
  length = 0;
  idle = false;
  disposed = false;

  constructor(cache: KvCache, table: number, adapters: AdapterScales | undefined) {
    this.cache = cache;
    this.table = table;
    this.adapters = adapters;
  }

  fork(length: number = this.length): Sequence {
    this.check();
    this.checkLength(length);
    return this.cache.fork(this, length);
  }

  pagesNeeded(count: number): number {
    this.check();
    return this.cache.pagesNeeded(this, count);
  }

  knownLength(length: number): number {
    return this.cache.states.known(this, Math.min(length, this.length));
  }

  truncate(length: number): void {
    this.check();
    this.checkLength(length);
    this.cache.shrink(this, length);
  }

  rest(): void {
    this.idle = true;
  }

  wake(): void {
    this.check();
    if (!this.idle) return;
    this.cache.states.enter(this);
    this.idle = false;
    this.cache.shrink(this, this.length);
  }

  get savedLength(): number {
    return this.cache.savedLength(this);
  }

  savePages(): Uint8Array {
    this.check();
    return this.cache.savePages(this);
  }

  restorePages(pages: Uint8Array, length: number): void {
    this.check();
    this.cache.restorePages(this, pages, length);
  }

  dispose(): void {
    if (this.disposed) return;
    this.cache.shrink(this, 0);
    this.disposed = true;
    this.cache.states.leave(this);
    this.cache.releaseTable(this.table);
  }

  check(): void {
    if (this.disposed) throw new NibbleError("disposed", "this sequence was disposed");
  }

  private checkLength(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.length)
      throw new NibbleError("invalid_argument", `expected a length from 0 to ${this.length}, got ${length}`);
  }
}
