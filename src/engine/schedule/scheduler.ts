/**
 * Runs many requests on one model. Every step computes one batch: one row for each answer in progress (more with
 * drafts) and a chunk of prompts. Then the host has a turn. Logits do not depend on what shares a batch or how a prompt is
 * cut, so any schedule gives the same tokens.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type Executor, logitRows } from "../../runtime/types.ts";
import { answerRows, BatchPlan, Entry, type Job, noPages, type Planned, readableTokens } from "./batch-plan.ts";
import { checkDrafts } from "./check-drafts.ts";
import type { DraftModel } from "./draft-model.ts";
import { type HostTurns, hostTurns, now } from "./host-turn.ts";
import type { PrefixCache } from "./prefix-cache.ts";
import { mayShare, sharedLength } from "./shared-prefix.ts";
import { Times } from "./step-times.ts";

export interface SchedulerOptions {
  /** Most prompt rows in one step, over all requests (default 64). This bounds the time of a step. */
  readonly chunkTokens?: number | undefined;
  /** The turns of the host. Tests replace them. */
  readonly turns?: (() => HostTurns) | undefined;
  /**
   * Every request has a loop of its own, which runs steps for all. On Workers a timer dies with the request that set
   * it, so a single loop would end with the request that began it, and the others would hang.
   */
  readonly loopPerRequest?: boolean | undefined;
  /** Whether the times of steps are measured, to tell how many drafts pay. Otherwise they are assumed, as tests need. */
  readonly measured?: boolean | undefined;
  /** Drafts for the requests that take drafts from a model. */
  readonly draftModel?: DraftModel | undefined;
}

/** Most prompt rows in one step, unless the options say otherwise. */
export const CHUNK_TOKENS = 64;

export class Scheduler {
  readonly #executor: Executor;
  readonly #prefixes: PrefixCache;
  readonly #chunkTokens: number;
  readonly #turns: () => HostTurns;
  /** The entries, the oldest first. */
  #entries: Entry[] = [];
  #turn = 0;
  /** Whether the last step was for embeddings. */
  #embeds = true;
  /** Jobs whose loop runs; undefined stands for the common loop. */
  readonly #loops = new Set<Job | undefined>();
  readonly #loopPerRequest: boolean;
  readonly #times: Times;
  readonly #draftModel: DraftModel | undefined;

  constructor(executor: Executor, prefixes: PrefixCache, options: SchedulerOptions = {}) {
    this.#executor = executor;
    this.#prefixes = prefixes;
    this.#chunkTokens = options.chunkTokens ?? CHUNK_TOKENS;
    this.#turns = options.turns ?? hostTurns;
    this.#loopPerRequest = options.loopPerRequest ?? false;
    this.#times = new Times(options.measured ?? false);
    this.#draftModel = options.draftModel;
  }

  /** Requests that have not ended. */
  get size(): number {
    return this.#entries.length;
  }

  add(job: Job): void {
    this.#entries.push(new Entry(job));
    this.wake(job);
  }

  /** Takes a job out and frees its pages. Nothing happens if the job is not in. */
  remove(job: Job): void {
    const index = this.#entries.findIndex((entry) => entry.job === job);
    if (index < 0) return;
    this.#vacate(this.#entries[index]!);
    this.#entries.splice(index, 1);
    // Others may have waited for the pages. Where each has a loop of its own, those are running.
    if (!this.#loopPerRequest) this.wake(job);
  }

  /** Must be called when a job has become ready, in the context of its request. */
  wake(job: Job): void {
    const owner = this.#loopPerRequest ? job : undefined;
    if (this.#loops.has(owner)) return;
    this.#loops.add(owner);
    void this.#run(owner);
  }

  /** Ends all requests with an error. */
  failAll(error: unknown): void {
    for (const entry of this.#entries.splice(0)) {
      this.#vacate(entry);
      entry.job.fail(error);
    }
    this.#prefixes.clear();
  }

  /** Runs steps until there is nothing to do, or the owner has its answer. */
  async #run(owner: Job | undefined): Promise<void> {
    const turns = this.#turns();
    try {
      // The first turn comes before the first step, so that requests that were made together run together.
      for (let batch: Planned[]; ; this.#execute(batch)) {
        await turns.next();
        if (owner && !this.#entries.some(({ job }) => job === owner)) break;
        batch = this.#plan();
        if (batch.length === 0) break;
      }
    } catch (error) {
      this.failAll(error);
    } finally {
      turns.close();
      this.#loops.delete(owner);
    }
  }

  #execute(batch: readonly Planned[]): void {
    let rows: Float32Array[];
    try {
      for (const { entry } of batch) {
        if (!entry.started) entry.job.begin(entry.sequence!.length);
        entry.started = true;
      }
      const start = now();
      const tokens = readableTokens(batch);
      if (batch[0]!.entry.job.pooling) rows = this.#executor.hiddenStates(batch);
      else rows = tokens ? this.#executor.forwardSome(batch, tokens) : this.#executor.forward(batch);
      this.#times[tokens ? "some" : "all"].note(answerRows(batch), now() - start);
    } catch (error) {
      const ended = error instanceof NibbleError && (error.code === "poisoned" || error.code === "disposed");
      if (ended) this.failAll(error);
      else if (batch.length === 1) this.#fail(batch[0]!.entry, error);
      else for (const item of batch) this.#execute([item]); // No sequence has changed: this finds the faulty one.
      return;
    }
    let row = 0;
    for (const item of batch) {
      item.entry.job.progress?.(item.entry.sequence?.length ?? 0);
      this.#accept(item, rows.slice(row, (row += logitRows(item))));
    }
  }

  #accept(item: Planned, rows: readonly Float32Array[]): void {
    const { entry, drafts, logits, tokens } = item;
    const first = (entry.sequence?.length ?? 0) - (logits === "first" ? tokens.length : rows.length);
    try {
      const ended = drafts > 0 ? checkDrafts(item, rows) : rows.some((row, i) => entry.job.accept(row, first + i));
      if (ended) this.remove(entry.job);
    } catch (error) {
      this.#fail(entry, error);
    }
  }

  /** The batch of the next step: logits or embeddings, in turn where both are wanted. */
  #plan(): Planned[] {
    const ready = this.#entries.filter(({ job }) => job.ready);
    const kinds = [ready.filter(({ job }) => !job.pooling), ready.filter(({ job }) => job.pooling)] as const;
    this.#embeds = !this.#embeds;
    let plan = this.#fill(kinds[this.#embeds ? 1 : 0], this.#embeds);
    if (plan.items.length === 0) plan = this.#fill(kinds[this.#embeds ? 0 : 1], !this.#embeds);
    plan.addDrafts(this.#draftModel);

    // Nothing fits. The oldest entry may evict all others; if it still does not fit, sessions hold the pages.
    const oldest = ready[0];
    if (plan.items.length === 0 && oldest) {
      try {
        if (!oldest.sequence && !this.#admit(plan, oldest, true)) throw noPages(oldest, this.#executor);
        if (this.#take(plan, oldest, this.#chunkOf(oldest, this.#chunkTokens, 0)) === 0)
          throw noPages(oldest, this.#executor);
      } catch (error) {
        this.#fail(oldest, error);
        return this.#plan();
      }
    }
    return plan.items;
  }

  /**
   * Each step another request goes first, so that none waits forever. Then come answers in progress with a row each, or
   * a few, then prompts with as many rows as the chunk has left. Requests are admitted to the cache in order of arrival.
   * @param ready oldest first @param states whether they want hidden states
   */
  #fill(ready: readonly Entry[], states: boolean): BatchPlan {
    const plan = new BatchPlan(this.#executor, this.#times, states);
    if (ready.length === 0) return plan;
    const first = this.#turn++ % ready.length;
    const order = [...ready.slice(first), ...ready.slice(0, first)];
    const rank = (entry: Entry) => (entry === order[0] ? 0 : entry.isAnswering ? 1 : 2);
    order.sort((a, b) => rank(a) - rank(b));
    const waiting = ready.filter((entry) => !entry.sequence);
    let chunk = this.#chunkTokens;
    let admit = true;
    for (const turn of order) {
      const entry = turn.sequence && !plan.has(turn) ? turn : waiting.shift();
      if (!entry) continue;
      if (!entry.sequence) {
        if (!admit || chunk <= 0 || plan.rows === 0 || this.#follows(entry)) continue;
        admit = this.#admit(plan, entry); // Later entries must not overtake this one.
        if (!admit) continue;
      }
      if (entry.isAnswering) this.#take(plan, entry, entry.pending);
      else chunk -= this.#take(plan, entry, this.#chunkOf(entry, chunk, plan.items.length));
    }
    return plan;
  }

  /** Tokens for a step with room for `chunk`. A bidirectional text comes whole, if it is longer than a chunk then alone. */
  #chunkOf({ pending }: Entry, chunk: number, planned: number): number {
    if (!this.#executor.bidirectional) return Math.min(chunk, pending);
    return planned === 0 || pending <= chunk ? pending : 0;
  }

  /** Whether an entry waits for another one that is reading the prefix of both. */
  #follows(entry: Entry): boolean {
    const { leader, reusable } = entry;
    if (reusable.length === 1 || this.#executor.bidirectional) return false;
    const leads = (other: Entry, length: number) =>
      other.job.ready && other.sequence !== undefined && other.sequence.length < length;
    if (leader && leads(leader, entry.leaderLength)) return true;
    entry.leader = undefined;
    entry.leaderLength = this.#prefixes.matchLength(reusable, entry);
    for (const other of this.#entries) {
      const most = Math.min(reusable.length - 1, other.tokens.length);
      if (!mayShare(other, entry)) continue;
      if (other === entry || other.isAnswering || !leads(other, most) || most <= entry.leaderLength) continue;
      const shared = sharedLength(reusable, other.tokens, most);
      if (shared < entry.leaderLength + this.#executor.pageTokens || !leads(other, shared)) continue;
      entry.leader = other;
      entry.leaderLength = shared;
    }
    return entry.leader !== undefined;
  }

  /**
   * Admits an entry: it gets a sequence, which holds the part of its prompt that is already computed. While others run,
   * a request is admitted only if its whole prompt fits; else it would soon be evicted again.
   * @param force evict others for it, and admit it even if its prompt does not fit
   */
  #admit(plan: BatchPlan, entry: Entry, force = false): boolean {
    const alone = force || !this.#entries.some(({ sequence }) => sequence);
    for (;;) {
      try {
        entry.sequence = this.#prefixes.acquire(entry.reusable, entry);
        break;
      } catch (error) {
        if (!(error instanceof NibbleError) || error.code !== "context_full") throw error;
        if (!force) return false;
        if (!this.#evict(plan, entry)) throw error;
      }
    }
    this.#prefixes.register(entry);
    const missing = () => entry.sequence!.pagesNeeded(entry.pending + 1) > plan.freePages;
    while (missing() && this.#prefixes.reclaim());
    if (alone || !missing()) return true;
    this.#vacate(entry);
    return false;
  }

  /** Plans up to `count` tokens of an entry. @returns how many fit */
  #take(plan: BatchPlan, entry: Entry, count: number): number {
    const wanted = plan.most(entry, count);
    let fits = plan.fitting(entry, wanted);
    while (fits < wanted && (this.#prefixes.reclaim() || (fits === 0 && this.#evict(plan, entry))))
      fits = plan.fitting(entry, wanted);
    if (fits > 0) plan.add(entry, fits);
    return fits;
  }

  /**
   * Takes the pages of another entry for `entry`: of a job whose reader is behind, else of the youngest. The evicted
   * entry computes again what is then reclaimed of its pages.
   */
  #evict(plan: BatchPlan, entry: Entry): boolean {
    const age = this.#entries.indexOf(entry);
    const holders = this.#entries.filter((other) => other.sequence && other !== entry && !plan.has(other));
    const victim =
      holders.findLast(({ job }) => !job.ready) ?? holders.findLast((other) => this.#entries.indexOf(other) > age);
    if (!victim) return false;
    this.#vacate(victim);
    return true;
  }

  #fail(entry: Entry, error: unknown): void {
    this.remove(entry.job);
    entry.job.fail(error);
  }

  /** Takes an entry's place in the cache. Drafts that may be wrong are removed. */
  #vacate(entry: Entry): void {
    const { sequence, tokens } = entry;
    const most = Math.min(tokens.length, entry.right);
    if (sequence && sequence.length > most) sequence.truncate(most);
    entry.right = Infinity;
    this.#prefixes.retire(entry);
    this.#draftModel?.release(entry.job);
    entry.sequence = undefined;
  }
}
