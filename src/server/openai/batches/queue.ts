/**
 * The batches of a server: each is computed as soon as it is created, with the slots that are idle, and goes on after a restart
 * where the store outlives the process.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { randomId } from "../../blocks.ts";
import type { Owner } from "../files/library.ts";
import { Execution, type Workshop } from "./execution.ts";
import { type BatchObject, type BatchRecord, BatchRecords, hasEnded } from "./record.ts";

/** Batches that may be under way at the same time. */
const MAX_RUNNING = 64;
/** Longest time that a timer takes. */
const MAX_TIMER = 2 ** 31 - 1;

/** What ends a run before its end. */
type Stop = "cancelled" | "expired" | "closed";

export interface NewBatch {
  readonly owner: Owner;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly window: string;
  readonly windowSeconds: number;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfter: number | undefined;
}

interface Run {
  readonly record: BatchRecord;
  readonly execution: Execution;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class BatchQueue {
  readonly #workshop: Workshop;
  readonly #records: BatchRecords;
  readonly #running = new Map<string, Run>();
  readonly #onError: (error: unknown) => void;

  constructor(workshop: Workshop, onError: (error: unknown) => void) {
    this.#workshop = workshop;
    this.#records = new BatchRecords(workshop.store);
    this.#onError = onError;
  }

  /** Goes on with the batches that an earlier process has left. */
  async resume(): Promise<void> {
    for (const record of await this.#records.all()) if (!hasEnded(record)) this.#start(record);
  }

  /** @throws NibbleError `overloaded` */
  async create({ owner, endpoint, inputFileId, window, windowSeconds, ...more }: NewBatch): Promise<BatchObject> {
    if (this.#running.size >= MAX_RUNNING)
      throw new NibbleError("overloaded", `${MAX_RUNNING} batches are under way; try again later`);
    const created = Date.now();
    const seconds = Math.floor(created / 1000);
    const batch: BatchObject = {
      id: randomId("batch"),
      object: "batch",
      endpoint,
      errors: null,
      input_file_id: inputFileId,
      completion_window: window,
      status: "validating",
      output_file_id: null,
      error_file_id: null,
      created_at: seconds,
      in_progress_at: null,
      expires_at: seconds + windowSeconds,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      metadata: more.metadata,
    };
    const record: BatchRecord = { owner, created, outputExpiresAfter: more.outputExpiresAfter, batch };
    await this.#records.save(record);
    this.#start(record);
    return batch;
  }

  /** @throws NibbleError `not_found` */
  async get(id: string, owner: Owner): Promise<BatchObject> {
    const run = this.#running.get(id);
    if (!run || run.record.owner !== owner) return (await this.#records.get(id, owner)).batch;
    return current(run);
  }

  /** The batches of one user, newest first. */
  async list(owner: Owner): Promise<BatchObject[]> {
    const own = (await this.#records.all()).filter((record) => record.owner === owner).reverse();
    return own.map(({ batch }) => {
      const run = this.#running.get(batch.id);
      return run ? current(run) : batch;
    });
  }

  /** @throws NibbleError `not_found`; `invalid_request` for a batch that has ended */
  async cancel(id: string, owner: Owner): Promise<BatchObject> {
    const { batch } = await this.#records.get(id, owner);
    const run = this.#running.get(id);
    if (!run || run.record.batch.status === "finalizing")
      throw new NibbleError(
        "invalid_request",
        `the batch has the status ${run?.record.batch.status ?? batch.status}, and cannot be cancelled`,
      );
    if (run.record.batch.status !== "cancelling") await this.#records.move(run.record, "cancelling");
    run.stop.abort("cancelled" satisfies Stop);
    return current(run);
  }

  /** The batch under way that reads a file. */
  async userOf(fileId: string): Promise<string | undefined> {
    return [...this.#running.values()].find(({ record }) => record.batch.input_file_id === fileId)?.record.batch.id;
  }

  /** Ends all runs; what they have stays in the store. */
  async close(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort("closed" satisfies Stop);
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #start(record: BatchRecord): void {
    const { id, expires_at: end } = record.batch;
    const stop = new AbortController();
    const execution = new Execution(record, this.#workshop);
    const ms = Math.min(MAX_TIMER, Math.max(0, 1000 * end - Date.now()));
    const timer = setTimeout(() => stop.abort("expired" satisfies Stop), ms);
    (timer as { unref?: () => void }).unref?.();
    const ended = this.#compute(record, execution, stop.signal)
      .catch((error: unknown) => this.#fail(record, error))
      .finally(() => {
        clearTimeout(timer);
        this.#running.delete(id);
      });
    this.#running.set(id, { record, execution, stop, ended });
    if (record.batch.status === "cancelling") stop.abort("cancelled" satisfies Stop);
  }

  async #compute(record: BatchRecord, execution: Execution, signal: AbortSignal): Promise<void> {
    const errors = await execution.validate();
    if (errors.length > 0) return this.#records.move(record, "failed", { errors: { object: "list", data: errors } });
    if (record.batch.status === "validating" && !signal.aborted) await this.#records.move(record, "in_progress");
    await execution.run(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const stopped: Stop | undefined = signal.aborted ? signal.reason : undefined;
    if (stopped === "closed") return;
    if (stopped === "expired")
      await execution.giveUp("batch_expired", "this request was not answered before the completion window ended");
    if (stopped === undefined) await this.#records.move(record, "finalizing");
    const facts = { ...(await execution.finish()), request_counts: execution.counts };
    await this.#records.move(record, stopped ?? "completed", facts);
    await execution.clean();
  }

  /** The store is full or broken, or the server has a fault. */
  async #fail(record: BatchRecord, error: unknown): Promise<void> {
    this.#onError(error);
    const message = error instanceof Error && error.name === "NibbleError" ? error.message : "internal error";
    const data = [{ code: "server_error", message, line: 1, param: null }];
    await this.#records.move(record, "failed", { errors: { object: "list", data } }).catch(this.#onError);
  }
}

function current({ record, execution }: Run): BatchObject {
  return { ...record.batch, request_counts: execution.counts };
}
