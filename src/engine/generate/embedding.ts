/**
 * Embeddings: hidden states after the final norm, pooled to one vector per text.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { AdapterScales, Executor } from "../../runtime/types.ts";
import type { Job, Pooling } from "../schedule/batch-plan.ts";
import type { Scheduler } from "../schedule/scheduler.ts";

/** Checked options, defaults filled in. */
export interface EmbedSettings {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly adapters: AdapterScales | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Embeddings {
  /** One f32[hiddenSize] per text, in the order of the texts. */
  readonly vectors: Float32Array[];
  /** Tokens of all texts together. */
  readonly tokens: number;
}

/** The parts of a model that embeddings use. */
export interface EmbeddingEngine {
  readonly executor: Executor;
  readonly scheduler: Scheduler;
}

/**
 * Embeds texts, while the model also runs other requests. At most `maxLogitRows` texts run together.
 * @throws the signal's reason; NibbleError `context_full`, `disposed`, `poisoned`, `non_finite_logits`
 */
export async function embed(
  prompts: readonly number[][],
  settings: EmbedSettings,
  { executor, scheduler }: EmbeddingEngine,
): Promise<Embeddings> {
  const { normalize, signal } = settings;
  const vectors: Float32Array[] = [];
  const pending = new Set<EmbeddingJob>();
  const abort = () => {
    for (const job of pending) {
      scheduler.remove(job);
      job.fail(signal!.reason);
    }
  };
  let next = 0;
  async function work(): Promise<void> {
    while (next < prompts.length) {
      signal?.throwIfAborted();
      const at = next++;
      const job = new EmbeddingJob(prompts[at]!, settings, executor.hiddenSize);
      pending.add(job);
      scheduler.add(job);
      const sums = await job.done.finally(() => pending.delete(job));
      vectors[at] = finished(sums, normalize);
    }
  }
  signal?.addEventListener("abort", abort);
  try {
    const workers = Math.min(prompts.length, executor.maxLogitRows);
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    signal?.removeEventListener("abort", abort);
    next = prompts.length;
    for (const job of pending) scheduler.remove(job);
  }
  return { vectors, tokens: prompts.reduce((sum, { length }) => sum + length, 0) };
}

class EmbeddingJob implements Job {
  readonly ready = true;
  readonly tokens: readonly number[];
  readonly pooling: Pooling;
  readonly allRows: boolean;
  readonly adapters: AdapterScales | undefined;
  readonly done: Promise<Float64Array>;
  readonly #sums: Float64Array;
  /** The token whose hidden state is wanted next. */
  #position: number;
  #resolve!: (sums: Float64Array) => void;
  #reject!: (error: unknown) => void;

  constructor(tokens: readonly number[], { pooling, adapters }: EmbedSettings, hiddenSize: number) {
    this.tokens = tokens;
    this.adapters = adapters;
    this.pooling = pooling;
    this.allRows = pooling === "mean";
    this.#sums = new Float64Array(hiddenSize);
    this.#position = pooling === "mean" ? 0 : tokens.length - 1;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(): void {}

  draft(): readonly number[] {
    return [];
  }

  /** Sums in f64, in the order of the tokens. A job that was evicted receives some tokens again, which are ignored. */
  accept(row: Float32Array, position: number): boolean {
    if (position !== this.#position) return false;
    for (let i = 0; i < row.length; i++) this.#sums[i]! += row[i]!;
    this.#position++;
    if (this.#position < this.tokens.length) return false;
    const rows = this.pooling === "mean" ? this.tokens.length : 1;
    this.#resolve(this.#sums.map((sum) => sum / rows));
    return true;
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

/** The vector as f32, scaled to length 1 if asked for. A vector of zeros stays as it is. */
function finished(vector: Float64Array, normalize: boolean): Float32Array {
  let squares = 0;
  for (const x of vector) squares += x * x;
  if (!Number.isFinite(squares))
    throw new NibbleError("non_finite_logits", "the model's hidden states are not finite numbers");
  const length = normalize && squares > 0 ? Math.sqrt(squares) : 1;
  return Float32Array.from(vector, (x) => x / length);
}
