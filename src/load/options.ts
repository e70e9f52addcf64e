/**
 * The options of `load` and `plan`: their types, checks and defaults.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { fits, invalid } from "../base/fields.ts";
import type { Model } from "../engine/model.ts";
import { BUILDS, type Build, MAX_MEMORY_BYTES } from "../runtime/kernels.ts";
import { KV_TYPES, type KvType } from "../runtime/layout.ts";
import type { MemoryOptions } from "../runtime/memory-plan.ts";
import type { LoadProgress } from "../runtime/weights.ts";
import { checkAdapters, type LoraOption } from "./adapters.ts";
import type { ModelSource } from "./source.ts";

/** Options of `load` and `plan`. */
export interface LoadOptions {
  /** The name that answers carry in `model`. Default: the last part of the source's name, else `general.name`. */
  name?: string;
  /**
   * Most tokens of one conversation, from 1 to what the model was trained for.
   * Default: what it was trained for, but at most 4,096.
   */
  contextLength?: number;
  /** Tokens that all conversations together may keep in the key-value cache. Default: `contextLength`. */
  cacheTokens?: number;
  /**
   * How keys and values are stored: `mixed` (12-bit keys and int8 values; the default), `int8` (a third smaller) or
   * `f32` (for comparisons).
   */
  kvType?: KvType;
  /** Most tokens of one step, which is the size of a prefill chunk: 1 to 4,096. Default: 128. */
  maxBatchTokens?: number;
  /**
   * Most rows of one step whose logits are read: 1 to 4,096. More answers than that take turns. Default:
   * `maxSequences`, but at least 16 and at most 64.
   */
  maxLogitRows?: number;
  /** Most conversations at once: 1 to 65,536. Default: 64. */
  maxSequences?: number;
  /**
   * States of recurrent layers (LFM2, Qwen3.5): one for each conversation in use, and copies to go back to, from 1 to
   * 65,536. Default: as many as fit into 128 MiB, but at least 4. Models without such layers have none.
   */
  maxStates?: number;
  /**
   * Most bytes of WebAssembly memory. A plan that needs more is refused before a weight is read. Default: 4 GiB - 64 KiB;
   * in Cloudflare Workers 96 MiB, since a Worker has 128 MB with its JavaScript heap.
   */
  memoryLimit?: number;
  /**
   * Threads that compute, the caller's included: 1 to 256. Default: the host's cores, but at most 8; and 1 where the
   * engine has no relaxed SIMD, or where the weights take less than 32 MiB, since a barrier then costs more than a second
   * thread saves.
   */
  threads?: number;
  /** The WebAssembly build. Default: the fastest one that the engine validates. All give the same bits. */
  build?: Build;
  /** A compiled build, for hosts that do not allow compiling at run time. It runs on one thread. */
  wasm?: WebAssembly.Module;
  /**
   * Compiles the kernels with V8's experimental revectorizer, which joins operations of 128 bits to ones of 256 bits:
   * prefill is up to 1.5 times as fast. Node 24 has it. V8's flag is set for the whole process while the
   * kernels are compiled, for about 30 ms in the first load. The kernels then run on known data; if a bit differs, the
   * plain module runs, and `info.revectorized` is false. So it is on Node 25 and 26, whose V8 cannot pack the kernels.
   * Default: false.
   */
  revectorize?: boolean;
  /**
   * A smaller model with the same vocabulary, by its source or loaded: it drafts tokens, which the model checks many at a
   * time. Answers are the same as without it. One that is loaded from a source takes the options of this model that fit it,
   * and is disposed with it; `memoryLimit` counts both. Adapters are not applied to it.
   */
  draft?: ModelSource | Model;
  /** Low-rank adapters that requests can choose from. */
  lora?: readonly LoraOption[];
  /**
   * The name of one of the model's chat templates (such as "rag"), the name of a turn format ("chatml", "gemma" or
   * "llama3"), or Jinja source. It is used with tools and without. Default: the model's `tool_use` for requests with tools,
   * else its `default`.
   */
  chatTemplate?: string;
  /**
   * Whether prompts that fill a gap (`infillPrompt`, `suffix`) have the suffix first ("SPM"), for models that were trained
   * so. Default: false, except for the tokens of Codestral.
   */
  spmInfill?: boolean;
  /** Is called while weights are read, with bytes read so far and in all. */
  onProgress?: (progress: LoadProgress) => void;
  /** Ends the load; its promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The requirement on an option's value, in words and as a test. `adapters.ts` checks `lora`. */
type Check = readonly [expected: string, accepts: (value: unknown) => boolean];

const integer = (max: number, words = ` to ${max}`): Check => [
  `a whole number from 1${words}`,
  (value) => fits(value, { integer: true, min: 1, max }),
];
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const oneOf = (values: readonly string[]): Check => [
  `one of ${values.join(", ")}`,
  (value) => values.includes(value as string),
];

/** Every option. The model itself limits `contextLength` further: see `memoryOptions`. */
const CHECKS: { readonly [option in Exclude<keyof LoadOptions, "lora">]-?: Check } = {
  name: ["a string", (value) => typeof value === "string"],
  contextLength: integer(Number.MAX_SAFE_INTEGER, ""),
  cacheTokens: integer(2 ** 31),
  kvType: oneOf(Object.keys(KV_TYPES)),
  maxBatchTokens: integer(4096),
  maxLogitRows: integer(4096),
  maxSequences: integer(65536),
  maxStates: integer(65536),
  memoryLimit: integer(Number.MAX_SAFE_INTEGER, ""),
  threads: integer(256),
  build: oneOf(BUILDS),
  wasm: ["a WebAssembly.Module", (value) => value instanceof WebAssembly.Module],
  revectorize: ["a boolean", (value) => typeof value === "boolean"],
  draft: ["a source of a model, or a loaded model", (value) => typeof value === "string" || isObject(value)],
  chatTemplate: ["a string", (value) => typeof value === "string"],
  spmInfill: ["a boolean", (value) => typeof value === "boolean"],
  onProgress: ["a function", (value) => typeof value === "function"],
  signal: ["an AbortSignal", (value) => value instanceof AbortSignal],
};

/**
 * Checks all that can be checked before a file is opened. A misspelt option is refused rather than ignored, because the
 * model would otherwise run with other settings than its user believes.
 * @throws NibbleError `invalid_argument` that names the option
 */
export function checkOptions(options: unknown): asserts options is LoadOptions {
  if (typeof options !== "object" || options === null) throw wrong("options", "an object", options);
  for (const [option, value] of Object.entries(options)) {
    if (option === "lora") checkAdapters(value);
    else if (!Object.hasOwn(CHECKS, option)) throw unknownOption(option);
    else if (value !== undefined) {
      const [expected, accepts] = CHECKS[option as keyof typeof CHECKS];
      if (!accepts(value)) throw wrong(option, expected, value);
    }
  }
}

/** Most tokens of one conversation where the options do not say and the model was trained for more. */
const DEFAULT_CONTEXT = 4096;

/** Room for so many tokens lets a step take many short texts, each of which has a page of its own. */
const ENCODER_CACHE = 1024;

/**
 * The sizes that the memory plan needs, with the defaults in place of what checked options leave out.
 * @param trained most tokens of one conversation that the model was trained for
 * @param bidirectional whether a text must be read in one step, so that the batch bounds its length
 * @throws NibbleError `invalid_argument` for a `contextLength` beyond `trained`
 */
export function memoryOptions(options: LoadOptions, trained: number, bidirectional = false): MemoryOptions {
  const most = bidirectional ? Math.min(DEFAULT_CONTEXT, options.maxBatchTokens ?? Infinity) : DEFAULT_CONTEXT;
  const { contextLength = Math.min(trained, most), maxSequences = 64 } = options;
  const [expected, accepts] = integer(trained);
  if (!accepts(contextLength)) throw wrong("contextLength", expected, contextLength);
  if (bidirectional && contextLength > most)
    throw wrong("contextLength", `at most ${most}, since the model reads a text in one batch`, contextLength);
  return {
    contextLength,
    cacheTokens: options.cacheTokens ?? (bidirectional ? Math.max(contextLength, ENCODER_CACHE) : contextLength),
    maxBatchTokens:
      options.maxBatchTokens ?? (bidirectional ? Math.max(128, contextLength) : Math.min(128, contextLength)),
    maxLogitRows: options.maxLogitRows ?? Math.max(16, Math.min(64, maxSequences)),
    maxSequences,
    maxStates: options.maxStates,
    memoryLimit: options.memoryLimit ?? MAX_MEMORY_BYTES,
  };
}

function wrong(option: string, expected: string, got: unknown): NibbleError {
  return invalid(option, expected, got, "invalid_argument");
}

function unknownOption(option: string): NibbleError {
  const known = [...Object.keys(CHECKS), "lora"].join(", ");
  return new NibbleError("invalid_argument", `${option}: unknown option; known are ${known}`, { param: option });
}
