/**
 * Embeddings: hidden states after the final norm, pooled to one vector per text, and the layers that follow.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { AdapterScales, Executor } from "../../runtime/types.ts";
import type { Job, Pooling } from "../schedule/batch-plan.ts";
import type { Scheduler } from "../schedule/scheduler.ts";

/** Settings of the pass through the model. */
export interface StateSettings {
  readonly pooling: Pooling;
  readonly adapters: AdapterScales | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Checked options, defaults filled in. */
export interface EmbedSettings extends StateSettings {
  readonly normalize: boolean;
  /** How many of the first numbers of a vector are kept. Undefined: all. */
  readonly dimensions?: number | undefined;
}

/** The tokens of a text, and their types in a model that has them. */
export interface TextTokens {
  readonly ids: readonly number[];
  readonly types?: readonly number[] | undefined;
}

export interface Embeddings {
  /** One vector per text, in the order of the texts; with pooling "none" one after the other for each token. */
  readonly vectors: Float32Array[];
  /** Tokens of all texts together. */
  readonly tokens: number;
}

/** The parts of a model that embeddings use. */
export interface EmbeddingEngine {
  readonly executor: Executor;
  readonly scheduler: Scheduler;
}

/** Vectors as they come: a head's in f32, pooled states in f64. */
type Numbers = Float32Array | Float64Array;

/** The width of an embedding. */
export function embeddingSize({ poolsStates, headSize, hiddenSize }: Executor): number {
  return poolsStates ? headSize : hiddenSize;
}

/** Most texts of one call that run together, so that short texts fill a batch. */
const TEXTS = 64;

/**
 * Embeds texts, while the model also runs other requests.
 * @throws the signal's reason; NibbleError `context_full`, `disposed`, `poisoned`, `non_finite_logits`
 */
export async function embed(
  texts: readonly TextTokens[],
  settings: EmbedSettings,
  engine: EmbeddingEngine,
): Promise<Embeddings> {
  const width = embeddingSize(engine.executor);
  const vectors = await headResults(texts, settings, engine);
  return {
    vectors: vectors.map((vector) => finished(vector, width, settings)),
    tokens: texts.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

/**
 * What the head of an embedding model makes of the pooled state of each text; in a language model, the pooled states.
 * @throws as `embed`
 */
export async function headResults(
  texts: readonly TextTokens[],
  settings: StateSettings,
  { executor, scheduler }: EmbeddingEngine,
): Promise<Numbers[]> {
  const { signal } = settings;
  const results: Numbers[] = [];
  const pending = new Set<EmbeddingJob>();
  const abort = () => {
    for (const job of pending) {
      scheduler.remove(job);
      job.fail(signal!.reason);
    }
  };
  let next = 0;
  async function work(): Promise<void> {
    while (next < texts.length) {
      signal?.throwIfAborted();
      const at = next++;
      const job = new EmbeddingJob(texts[at]!, settings, executor.hiddenSize);
      pending.add(job);
      scheduler.add(job);
      const states = await job.done.finally(() => pending.delete(job));
      // The step that computed the state has ended, so its rows are no longer needed.
      results[at] = executor.poolsStates ? throughHead(states, executor) : states;
    }
  }
  signal?.addEventListener("abort", abort);
  try {
    await Promise.all(Array.from({ length: Math.min(texts.length, TEXTS) }, work));
  } finally {
    signal?.removeEventListener("abort", abort);
    next = texts.length;
    for (const job of pending) scheduler.remove(job);
  }
  return results;
}

/** Runs the head on states [hiddenSize] that lie one after the other. */
function throughHead(states: Float64Array, executor: Executor): Float32Array {
  const { hiddenSize, headSize, maxLogitRows } = executor;
  const count = states.length / hiddenSize;
  const results = new Float32Array(count * headSize);
  for (let from = 0; from < count; from += maxLogitRows) {
    const length = Math.min(maxLogitRows, count - from);
    const row = (i: number) => Float32Array.from(states.subarray(i * hiddenSize, (i + 1) * hiddenSize));
    const rows = Array.from({ length }, (_, i) => row(from + i));
    for (const [i, result] of executor.runHead(rows).entries()) results.set(result, (from + i) * headSize);
  }
  return results;
}

class EmbeddingJob implements Job {
  readonly ready = true;
  readonly tokens: readonly number[];
  readonly types: readonly number[] | undefined;
  readonly pooling: Pooling;
  readonly allRows: boolean;
  readonly adapters: AdapterScales | undefined;
  readonly done: Promise<Float64Array>;
  /** Sums in f64, or with pooling "none" the states of all tokens. */
  readonly #sums: Float64Array;
  /** The token whose hidden state is wanted next. */
  #position: number;
  #resolve!: (states: Float64Array) => void;
  #reject!: (error: unknown) => void;

  constructor({ ids, types }: TextTokens, { pooling, adapters }: StateSettings, hiddenSize: number) {
    this.tokens = ids;
    this.types = types;
    this.adapters = adapters;
    this.pooling = pooling;
    this.allRows = pooling === "mean" || pooling === "none";
    this.#sums = new Float64Array(pooling === "none" ? hiddenSize * ids.length : hiddenSize);
    this.#position = pooling === "last" ? ids.length - 1 : 0;
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
    const at = this.pooling === "none" ? position * row.length : 0;
    for (let i = 0; i < row.length; i++) this.#sums[at + i]! += row[i]!;
    this.#position++;
    if (this.#position < this.tokens.length && this.allRows) return false;
    const rows = this.pooling === "mean" ? this.tokens.length : 1;
    this.#resolve(this.#sums.map((sum) => sum / rows));
    return true;
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

/** Cuts each row of `width` numbers, and scales it to length 1 if asked for. A row of zeros stays as it is. */
function finished(rows: Numbers, width: number, { normalize, dimensions = width }: EmbedSettings): Float32Array {
  const count = rows.length / width;
  const result = new Float32Array(count * dimensions);
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * width, r * width + dimensions);
    let squares = 0;
    for (const x of row) squares += x * x;
    if (!Number.isFinite(squares))
      throw new NibbleError("non_finite_logits", "the model's hidden states are not finite numbers");
    const length = normalize && squares > 0 ? Math.sqrt(squares) : 1;
    for (let i = 0; i < dimensions; i++) result[r * dimensions + i] = row[i]! / length;
  }
  return result;
}
