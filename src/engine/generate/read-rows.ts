/**
 * Reads a text that is not continued, and takes the model's rows for its tokens: logits, or the hidden states that embeddings
 * are made of.
 * @module
 */
import type { AdapterScales } from "../../runtime/types.ts";
import type { Job, Pooling } from "../schedule/batch-plan.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import type { Sharing } from "../schedule/shared-prefix.ts";

export interface Reading extends Sharing {
  readonly tokens: readonly number[];
  /** The type of each token, for models that have them. */
  readonly types?: readonly number[] | undefined;
  /** Which hidden states are taken; undefined: logits are. */
  readonly pooling?: Pooling | undefined;
  /** The rows of this token and of those after it are taken. */
  readonly firstRow: number;
  /** The number of rows. */
  readonly rows: number;
  /**
   * Takes the row of the token at `position`. Each comes once, in their order. A row is valid during the call only.
   * @throws what the reading then rejects with
   */
  readonly take: (row: Float32Array, position: number) => void;
}

/**
 * Reads a text in common steps with whatever else the model computes.
 * @throws the signal's reason; NibbleError `context_full`, `disposed`, `poisoned`; what `take` throws
 */
export function readRows(scheduler: Scheduler, reading: Reading, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const job = new ReadingJob(reading);
  const abort = () => {
    scheduler.remove(job);
    job.fail(signal!.reason);
  };
  signal?.addEventListener("abort", abort);
  scheduler.add(job);
  return job.done.finally(() => signal?.removeEventListener("abort", abort));
}

class ReadingJob implements Job {
  readonly ready = true;
  readonly tokens: readonly number[];
  readonly types: readonly number[] | undefined;
  readonly pooling: Pooling | undefined;
  readonly firstRow: number | undefined;
  readonly adapters: AdapterScales | undefined;
  readonly cacheSalt: string | undefined;
  readonly done: Promise<void>;
  readonly #take: Reading["take"];
  readonly #end: number;
  /** The token whose row is wanted next. */
  #position: number;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor({ tokens, types, adapters, cacheSalt, pooling, firstRow, rows, take }: Reading) {
    this.tokens = tokens;
    this.types = types;
    this.adapters = adapters;
    this.cacheSalt = cacheSalt;
    this.pooling = pooling;
    // A single state of a text is asked for by its pooling.
    this.firstRow = pooling === "cls" || pooling === "last" ? undefined : firstRow;
    this.#take = take;
    this.#position = firstRow;
    this.#end = firstRow + rows;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(): void {}

  draft(): readonly number[] {
    return [];
  }

  /** A job that was evicted receives some rows again, which are ignored. */
  accept(row: Float32Array, position: number): boolean {
    if (position !== this.#position) return false;
    this.#take(row, position);
    this.#position++;
    if (this.#position < this.#end) return false;
    this.#resolve();
    return true;
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}
