/**
 * A batch as the server keeps it, and its changes of status.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import type { LineError } from "../../../batch/request.ts";
import { type BlobStore, readBlob, writeBlob } from "../../../batch/store.ts";
import type { Owner } from "../files/library.ts";

export type BatchStatus =
  | ("validating" | "in_progress" | "finalizing" | "completed")
  | ("failed" | "expired" | "cancelling" | "cancelled");

/** OpenAI's batch. Times are seconds since 1970, or null. */
export interface BatchObject {
  readonly id: string;
  readonly object: "batch";
  readonly endpoint: string;
  readonly errors: { readonly object: "list"; readonly data: readonly LineError[] } | null;
  readonly input_file_id: string;
  readonly completion_window: string;
  readonly status: BatchStatus;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly created_at: number;
  readonly in_progress_at: number | null;
  readonly expires_at: number;
  readonly finalizing_at: number | null;
  readonly completed_at: number | null;
  readonly failed_at: number | null;
  readonly expired_at: number | null;
  readonly cancelling_at: number | null;
  readonly cancelled_at: number | null;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly metadata: Readonly<Record<string, string>> | null;
}

export interface BatchRecord {
  readonly owner: Owner;
  /** Milliseconds since 1970, for the order of lists. */
  readonly created: number;
  /** Seconds that output files are kept; undefined: for ever. */
  readonly outputExpiresAfter?: number | undefined;
  batch: BatchObject;
}

const ENDED: readonly BatchStatus[] = ["completed", "failed", "expired", "cancelled"];

export function hasEnded({ batch }: BatchRecord): boolean {
  return ENDED.includes(batch.status);
}

/** The records of all batches, in a store. */
export class BatchRecords {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  async all(): Promise<BatchRecord[]> {
    const names = (await this.#store.names("batch_")).filter((name) => name.endsWith(".batch.json"));
    const records = await Promise.all(names.map((name) => this.#read(name)));
    return records.filter((one) => one !== undefined).sort((a, b) => a.created - b.created);
  }

  /** @throws NibbleError `not_found` for batches of other users too */
  async get(id: string, owner: Owner): Promise<BatchRecord> {
    const record = /^batch_[0-9a-f]{24}$/.test(id) ? await this.#read(`${id}.batch.json`) : undefined;
    if (record && record.owner === owner) return record;
    throw new NibbleError("not_found", `there is no batch ${JSON.stringify(id.slice(0, 100))} here`);
  }

  save(record: BatchRecord): Promise<void> {
    return writeBlob(this.#store, `${record.batch.id}.batch.json`, JSON.stringify(record));
  }

  /** Gives a batch another status, with its time and further facts. */
  async move(record: BatchRecord, status: BatchStatus, facts: Partial<BatchObject> = {}): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    record.batch = { ...record.batch, ...facts, status, [`${status}_at`]: now };
    await this.save(record);
  }

  async #read(name: string): Promise<BatchRecord | undefined> {
    const text = await readBlob(this.#store, name);
    return text === undefined ? undefined : (JSON.parse(text) as BatchRecord);
  }
}
