/**
 * Embeddings: hidden states after the final norm, pooled to one vector per text, and the layers that follow.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { AdapterScales, Executor } from "../../runtime/types.ts";
import type { Pooling } from "../schedule/batch-plan.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import { joinedSalt } from "../schedule/shared-prefix.ts";
import { readRows } from "./read-rows.ts";

/** Settings of the pass through the model. */
export interface StateSettings {
  readonly pooling: Pooling;
  readonly adapters: AdapterScales | undefined;
  /** As in `GenerationSettings`. */
  readonly cacheSalt?: string | undefined;
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
  /** The text that separates all requests of this caller from others, as `Sharing` says. */
  readonly cacheSalt?: string | undefined;
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
  { executor, scheduler, cacheSalt: salt }: EmbeddingEngine,
): Promise<Numbers[]> {
  const { signal } = settings;
  const salted = { ...settings, cacheSalt: joinedSalt(salt, settings.cacheSalt) };
  const results: Numbers[] = [];
  // Ends what still runs when one text fails or the caller's signal comes.
  const controller = new AbortController();
  const abort = () => controller.abort(signal!.reason);
  let next = 0;
  async function work(): Promise<void> {
    while (next < texts.length) {
      const at = next++;
      const states = await readStates(texts[at]!, salted, { scheduler, executor, signal: controller.signal });
      // The step that computed the state has ended, so its rows are no longer needed.
      results[at] = executor.poolsStates ? throughHead(states, executor) : states;
    }
  }
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort);
  try {
    await Promise.all(Array.from({ length: Math.min(texts.length, TEXTS) }, work));
  } finally {
    signal?.removeEventListener("abort", abort);
    next = texts.length;
    controller.abort();
  }
  return results;
}

/** The pooled states of a text in f64, summed in the order of its tokens; with pooling "none" the states of all of them. */
async function readStates(
  { ids, types }: TextTokens,
  { pooling, adapters, cacheSalt }: StateSettings,
  { executor, scheduler, signal }: EmbeddingEngine & { readonly signal: AbortSignal },
): Promise<Float64Array> {
  const width = executor.hiddenSize;
  const one = pooling === "cls" || pooling === "last";
  const states = new Float64Array(pooling === "none" ? width * ids.length : width);
  const take = (row: Float32Array, position: number) => {
    const at = pooling === "none" ? position * width : 0;
    for (let i = 0; i < width; i++) states[at + i]! += row[i]!;
  };
  const firstRow = pooling === "last" ? ids.length - 1 : 0;
  const rows = one ? 1 : ids.length;
  await readRows(scheduler, { tokens: ids, types, adapters, cacheSalt, pooling, firstRow, rows, take }, signal);
  return pooling === "mean" ? states.map((sum) => sum / rows) : states;
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
