/**
 * Embeddings: hidden states after the final norm, pooled to one vector a text.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { checkIds, checkSignal, type Fields, invalid } from "../base/fields.ts";
import type { AdapterScales, Executor } from "../runtime/types.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { checkLora, type LoraChoice, type LoraInfo } from "./lora.ts";
import type { Job, Pooling } from "./schedule/batch-plan.ts";
import type { Scheduler } from "./schedule/scheduler.ts";

export interface EmbedOptions {
  /** Mean over all tokens, or the last token's state (the one that has seen all others). Default: the model's, else mean. */
  readonly pooling?: Pooling | undefined;
  /** Scale to length 1 (default true), so that a dot product is the cosine. */
  readonly normalize?: boolean | undefined;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Checked options, defaults filled in. */
export interface EmbedSettings {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly adapters: AdapterScales | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A text, or token ids as they are. */
export type EmbedInput = string | ArrayLike<number>;

export interface Embeddings {
  /** f32[hiddenSize] each, in the order of the texts. */
  readonly vectors: Float32Array[];
  /** Tokens of all texts. */
  readonly tokens: number;
}

/** OpenAI's. */
const MAX_INPUTS = 2048;

/** What embeddings need of a model. */
export interface EmbedContext {
  readonly executor: Executor;
  readonly tokenizer: Tokenizer;
  readonly scheduler: Scheduler;
  readonly pooling: Pooling;
  readonly adapters: readonly LoraInfo[];
}

/** Of `EmbedOptions` and of OpenAI's request. */
export const EMBED_FIELDS: readonly string[] = ["pooling", "normalize", "lora", "signal"];

/** @throws NibbleError with the fields' code */
export function checkEmbedOptions(fields: Fields, { pooling, adapters }: EmbedContext): EmbedSettings {
  return {
    pooling: fields.oneOf("pooling", ["mean", "last"]) ?? pooling,
    normalize: fields.boolean("normalize") ?? true,
    adapters: checkLora(fields, adapters),
    signal: checkSignal(fields),
  };
}

/**
 * Token ids of every text.
 * @throws NibbleError `invalid_argument` that names the text, `context_full` for one that is longer than the context
 */
export function embedPrompts(inputs: readonly unknown[], { executor, tokenizer }: EmbedContext): number[][] {
  const { vocabSize, contextLength } = executor;
  if (inputs.length === 0 || inputs.length > MAX_INPUTS)
    throw invalid("input", `1 to ${MAX_INPUTS} texts`, inputs, "invalid_argument");
  return inputs.map((text, i) => {
    const param = `input[${i}]`;
    const ids = typeof text === "string" ? tokenizer.encode(text) : checkIds(param, text, vocabSize);
    if (text === "" || ids.length === 0) throw invalid(param, "at least one token", text, "invalid_argument");
    if (ids.length > contextLength) {
      const message = `${param}: expected at most ${contextLength} tokens (the context), got ${ids.length}`;
      throw new NibbleError("context_full", message, { param });
    }
    return ids;
  });
}

/**
 * Embeds texts beside whatever else the model does. As many run together as a step may read rows of.
 * @throws the signal's reason; NibbleError `context_full`, `disposed`, `poisoned`, `non_finite_logits`
 */
export async function embed(
  prompts: readonly number[][],
  settings: EmbedSettings,
  { executor, scheduler }: EmbedContext,
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
  /** The next token whose state is wanted. */
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

  start(): void {}

  draft(): readonly number[] {
    return [];
  }

  /** Sums in f64, in the order of the tokens. A job that lost its place in the cache sees some of them again. */
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

/** Rounded to f32. A vector of zeros stays as it is. */
function finished(vector: Float64Array, normalize: boolean): Float32Array {
  let squares = 0;
  for (const x of vector) squares += x * x;
  if (!Number.isFinite(squares))
    throw new NibbleError("non_finite_logits", "the model's hidden states are not finite numbers");
  const length = normalize && squares > 0 ? Math.sqrt(squares) : 1;
  return Float32Array.from(vector, (x) => x / length);
}
