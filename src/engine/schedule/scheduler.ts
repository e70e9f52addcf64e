/**
 * Runs many requests on one model: every step makes one batch of one row for each answer in progress (more with
 * drafts) and a chunk of prompt, then lets the host run. Logits do not depend on what shares a batch or how a prompt is
 * cut, so any schedule gives the same tokens.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Executor } from "../../runtime/types.ts";
import { sameAdapters } from "../lora.ts";
import { BatchPlan, Entry, type Job, type Planned } from "./batch-plan.ts";
import { type HostTurns, hostTurns } from "./host-turn.ts";
import { type PrefixCache, sharedLength } from "./prefix-cache.ts";

export interface SchedulerOptions {
  /** Prompt rows in one step, over all requests (default 64): bounds how long a step takes. */
  readonly chunkTokens?: number | undefined;
  /** For tests: how to let the host run. */
  readonly turns?: (() => HostTurns) | undefined;
  /**
   * Every request has a loop of its own, which runs steps for all. On Workers a timer dies with the request that set it:
   * one loop for all would end with the request that began it, and the others would hang.
   */
  readonly loopPerRequest?: boolean | undefined;
}

export class Scheduler {
  readonly #executor: Executor;
  readonly #prefixes: PrefixCache;
  readonly #chunkTokens: number;
  readonly #turns: () => HostTurns;
  /** Oldest first. */
  #entries: Entry[] = [];
  #turn = 0;
  /** Whether the last step's turn was that of embeddings. */
  #embeds = true;
  /** Jobs whose loop runs; `undefined` stands for the loop of all. */
  readonly #loops = new Set<Job | undefined>();
  readonly #loopPerRequest: boolean;

  constructor(executor: Executor, prefixes: PrefixCache, options: SchedulerOptions = {}) {
    this.#executor = executor;
    this.#prefixes = prefixes;
    this.#chunkTokens = options.chunkTokens ?? 64;
    this.#turns = options.turns ?? hostTurns;
    this.#loopPerRequest = options.loopPerRequest ?? false;
  }

  /** Requests that have not ended. */
  get size(): number {
    return this.#entries.length;
  }

  add(job: Job): void {
    this.#entries.push(new Entry(job));
    this.wake(job);
  }

  /** Takes a job out and gives its pages back; nothing happens if it is not in. */
  remove(job: Job): void {
    const index = this.#entries.findIndex((entry) => entry.job === job);
    if (index < 0) return;
    this.#release(this.#entries[index]!);
    this.#entries.splice(index, 1);
    if (!this.#loopPerRequest) this.wake(job); // others may have waited for the pages; their own loops are running
  }

  /** A job has become ready. Called where its request runs. */
  wake(job: Job): void {
    const owner = this.#loopPerRequest ? job : undefined;
    if (this.#loops.has(owner)) return;
    this.#loops.add(owner);
    void this.#run(owner);
  }

  /** Ends all requests with an error. */
  failAll(error: unknown): void {
    for (const entry of this.#entries.splice(0)) {
      this.#release(entry);
      entry.job.fail(error);
    }
    this.#prefixes.clear();
  }

  /** Steps until nothing is to be done, or the owner has its answer. */
  async #run(owner: Job | undefined): Promise<void> {
    const turns = this.#turns();
    try {
      // The first turn comes before the first step, so that requests made together run together.
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
        if (!entry.started) entry.job.start(entry.sequence!.length);
        entry.started = true;
      }
      rows = batch[0]!.entry.job.pooling ? this.#executor.hiddenStates(batch) : this.#executor.forward(batch);
    } catch (error) {
      const ended = error instanceof NibbleError && (error.code === "poisoned" || error.code === "disposed");
      if (ended) this.failAll(error);
      else if (batch.length === 1) this.#fail(batch[0]!.entry, error);
      else for (const item of batch) this.#execute([item]); // no sequence has changed: find whose error it is
      return;
    }
    let row = 0;
    for (const item of batch) {
      const count = item.logits === "all" ? item.tokens.length : item.logits === "last" ? 1 : 0;
      this.#accept(item, rows.slice(row, (row += count)));
    }
  }

  /** Logits after a draft count for as long as the draft is what the job chose; what is wrong leaves the cache. */
  #accept({ entry, tokens, logits }: Planned, rows: readonly Float32Array[]): void {
    const { job } = entry;
    const drafts = logits === "all" && !job.allRows ? tokens.slice(1) : [];
    const first = (entry.sequence?.length ?? 0) - rows.length;
    try {
      for (const [i, row] of rows.entries()) {
        const ended = job.accept(row, first + i);
        if (ended) this.remove(job);
        if (ended || (i < drafts.length && job.tokens.at(-1) !== drafts[i])) break;
      }
      if (drafts.length > 0) entry.sequence?.truncate(job.tokens.length - 1);
    } catch (error) {
      this.#fail(entry, error);
    }
  }

  /**
   * A step computes logits or embeddings, by turns where both are wanted.
   */
  #plan(): Planned[] {
    const ready = this.#entries.filter(({ job }) => job.ready);
    const kinds = [ready.filter(({ job }) => !job.pooling), ready.filter(({ job }) => job.pooling)] as const;
    this.#embeds = !this.#embeds;
    let plan = this.#fill(kinds[this.#embeds ? 1 : 0]);
    if (plan.items.length === 0) plan = this.#fill(kinds[this.#embeds ? 0 : 1]);
    plan.addDrafts();

    // Nothing fits. The oldest may push out all others, so what is missing is held outside of the scheduler.
    const oldest = ready[0];
    if (plan.items.length === 0 && oldest) {
      try {
        if (!oldest.sequence && !this.#admit(plan, oldest, true)) throw noPages(oldest, this.#executor);
        if (this.#take(plan, oldest, Math.min(this.#chunkTokens, oldest.pending)) === 0)
          throw noPages(oldest, this.#executor);
      } catch (error) {
        this.#fail(oldest, error);
        return this.#plan();
      }
    }
    return plan.items;
  }

  /**
   * One request goes first, another one each step, so that none waits for ever. Then answers in progress, one row each,
   * then prompts, as many rows as the chunk has left. Who has no place in the cache yet gets one in order of arrival.
   * @param ready oldest first
   */
  #fill(ready: readonly Entry[]): BatchPlan {
    const plan = new BatchPlan(this.#executor);
    if (ready.length === 0) return plan;
    const first = this.#turn++ % ready.length;
    const order = [...ready.slice(first), ...ready.slice(0, first)];
    const rank = (entry: Entry) => (entry === order[0] ? 0 : entry.pending === 1 ? 1 : 2);
    order.sort((a, b) => rank(a) - rank(b));
    const waiting = ready.filter((entry) => !entry.sequence);
    let chunk = this.#chunkTokens;
    let admit = true;
    for (const turn of order) {
      const entry = turn.sequence && !plan.has(turn) ? turn : waiting.shift();
      if (!entry) continue;
      if (!entry.sequence) {
        if (!admit || chunk <= 0 || plan.rows === 0 || this.#follows(entry)) continue;
        admit = this.#admit(plan, entry); // the next in line does not overtake
        if (!admit) continue;
      }
      const { pending } = entry;
      if (pending === 1) this.#take(plan, entry, 1);
      else chunk -= this.#take(plan, entry, Math.min(chunk, pending));
    }
    return plan;
  }

  /** Whether an entry waits for another that is reading what both begin with. */
  #follows(entry: Entry): boolean {
    if (entry.job.allRows) return false;
    const { leader } = entry;
    const leads = (other: Entry, length: number) =>
      other.job.ready && other.sequence !== undefined && other.sequence.length < length;
    if (leader && leads(leader, entry.leaderLength)) return true;
    entry.leader = undefined;
    entry.leaderLength = this.#prefixes.matchLength(entry.tokens, entry.adapters);
    for (const other of this.#entries) {
      const most = Math.min(entry.tokens.length - 1, other.tokens.length);
      if (!sameAdapters(other.adapters, entry.adapters)) continue;
      if (other === entry || other.pending === 1 || !leads(other, most) || most <= entry.leaderLength) continue;
      const shared = sharedLength(entry.tokens, other.tokens, most);
      if (shared < entry.leaderLength + this.#executor.pageTokens || !leads(other, shared)) continue;
      entry.leader = other;
      entry.leaderLength = shared;
    }
    return entry.leader !== undefined;
  }

  /**
   * Gives an entry a place in the cache, with what is known of its tokens. Who would soon be pushed out again does not
   * start: with others running, all of a prompt must fit.
   */
  #admit(plan: BatchPlan, entry: Entry, force = false): boolean {
    const alone = force || !this.#entries.some(({ sequence }) => sequence);
    for (;;) {
      try {
        // Rows of cached tokens are gone.
        entry.sequence = this.#prefixes.acquire(entry.job.allRows ? [] : entry.tokens, entry.adapters);
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
    this.#release(entry);
    return false;
  }

  /** Plans up to `count` tokens of an entry; gives how many fit. */
  #take(plan: BatchPlan, entry: Entry, count: number): number {
    const wanted = Math.min(count, plan.rows);
    let fits = plan.fitting(entry, wanted);
    while (fits < wanted && (this.#prefixes.reclaim() || (fits === 0 && this.#evict(plan, entry))))
      fits = plan.fitting(entry, wanted);
    if (fits > 0) plan.add(entry, fits);
    return fits;
  }

  /** Pushes someone out for `entry`: a job that is not being read, else the youngest. What is reclaimed of it is computed again. */
  #evict(plan: BatchPlan, entry: Entry): boolean {
    const age = this.#entries.indexOf(entry);
    const holders = this.#entries.filter((other) => other.sequence && other !== entry && !plan.has(other));
    const victim =
      holders.findLast(({ job }) => !job.ready) ?? holders.findLast((other) => this.#entries.indexOf(other) > age);
    if (!victim) return false;
    this.#release(victim);
    return true;
  }

  #fail(entry: Entry, error: unknown): void {
    this.remove(entry.job);
    entry.job.fail(error);
  }

  /** The last token, and drafts after it, are not known to others. */
  #release(entry: Entry): void {
    const { sequence, tokens } = entry;
    if (sequence && sequence.length >= tokens.length) sequence.truncate(tokens.length - 1);
    this.#prefixes.release(entry);
    entry.sequence = undefined;
  }
}

function noPages({ job, sequence }: Entry, { freePages, pageTokens }: Executor): NibbleError {
  const free = freePages * pageTokens + (sequence ? Math.ceil(sequence.length / pageTokens) * pageTokens : 0);
  return new NibbleError(
    "context_full",
    `the KV cache has room for ${free} tokens, this request needs ${job.tokens.length}; ` +
      "sessions that are no longer needed hold pages until they are disposed",
  );
}
