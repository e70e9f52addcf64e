/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A model in a Web Worker, so that a page stays responsive. It has the methods of `Model`, which return promises.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { invalid } from "../../base/fields.ts";
import type { GenerateEvent } from "../../engine/generate/events.ts";
import type { Model } from "../../engine/model.ts";
import type { ModelInfo } from "../../engine/model-info.ts";
import type { RequestOptions } from "../../engine/openai/common-types.ts";
import type { GenerateOptions } from "../../engine/request/generate-options.ts";
import type { LoadOptions } from "../../load/options.ts";
import type { ModelSource } from "../../load/source.ts";
import { startWorker } from "../browser/start-worker.ts";
import { Calls } from "./calls.ts";

/**
 * A `Model` in a worker. Methods that return a value at once in `Model` return a promise here. There are no sessions,
 * because their state is in the worker's memory.
 */
export interface WorkerModel extends Pick<Model, "info" | "chat" | "completions" | "embeddings" | "embed"> {
  /** Generates like `Model.generate`. Iterating rejects with its errors. */
  generate(options: GenerateOptions): AsyncIterableIterator<GenerateEvent>;
  /** Resolves to the token ids of `Model.tokenize`. */
  tokenize(...args: Parameters<Model["tokenize"]>): Promise<number[]>;
  /** Resolves to the text of `Model.detokenize`. */
  detokenize(...args: Parameters<Model["detokenize"]>): Promise<string>;
  /** Resolves to the prompt of `Model.applyTemplate`. */
  applyTemplate(...args: Parameters<Model["applyTemplate"]>): Promise<string>;
  /** Ends the worker and all its calls, which fail with code `disposed`. */
  dispose(): void;
  /** `dispose`, for `using model = await loadInWorker(...)`. */
  [Symbol.dispose](): void;
}

/** Options of `loadInWorker`. */
export interface LoadInWorkerOptions extends LoadOptions {
  /** A worker that runs `nibble-llm/model-worker`. It is needed with bundlers that do not add it by themselves (esbuild). */
  worker?: Worker;
}

const callsOfModels = new WeakMap<WorkerModel, Calls>();

/** The calls of a model of `loadInWorker`, for methods that `serveModel` was given besides its own. */
export function callsOf(model: WorkerModel): Calls {
  const calls = callsOfModels.get(model);
  if (calls) return calls;
  throw new NibbleError("invalid_argument", "expected a model of loadInWorker, got another");
}

/**
 * Loads a model in a worker of its own. It has threads if the page is cross-origin isolated.
 * @param source a value that can be posted: a name, a URL, a Blob or File, bytes (which are copied), or a stream with its
 *   size (which is moved)
 * @throws NibbleError as `load`; `unsupported_host` if the worker does not start
 */
export async function loadInWorker(
  source: ModelSource,
  { worker: given, onProgress, signal, lora, draft, ...options }: LoadInWorkerOptions = {},
): Promise<WorkerModel> {
  signal?.throwIfAborted();
  if (typeof draft === "object" && "info" in draft)
    throw invalid("draft", "a source that can be posted to the worker", draft, "invalid_argument");
  const ownWorker = () => new Worker(new URL("./model-worker.js", import.meta.url), { type: "module" });
  const worker = given ?? startWorker(ownWorker, "./model-worker.js", import.meta.url);
  const calls = new Calls(worker, onProgress);
  let info: ModelInfo;
  try {
    const adapters = lora?.map((option) => ({ ...option, source: absolute(option.source) }));
    const args = [
      absolute(source),
      { ...options, lora: adapters, draft: draft && absolute(draft), reports: onProgress !== undefined },
    ];
    info = (await calls.one("load", args, signal, [source, draft].flatMap(streamOf))) as ModelInfo;
  } catch (error) {
    worker.terminate();
    throw error;
  }
  const create = (method: "chat" | "completion") =>
    (async (request: { stream?: boolean | null }, options?: RequestOptions) => {
      if (!request?.stream) return calls.one(method, [request], options?.signal);
      const values = calls.many(method, [request], options?.signal);
      await values.started;
      return values;
    }) as never;
  const model: WorkerModel = {
    info,
    chat: { completions: { create: create("chat") } },
    completions: { create: create("completion") },
    embeddings: { create: (request, options) => calls.one("embeddings", [request], options?.signal) as never },
    embed: (texts, { signal, ...options } = {}) => calls.one("embed", [texts, options], signal) as never,
    generate: ({ signal, ...options }) => calls.many("generate", [options], signal) as never,
    tokenize: (...args) => calls.one("tokenize", args) as never,
    detokenize: (...args) => calls.one("detokenize", args) as never,
    applyTemplate: (...args) => calls.one("applyTemplate", args) as never,
    dispose() {
      calls.fail(new NibbleError("disposed", `the model ${info.name} is disposed`));
      worker.terminate();
    },
    [Symbol.dispose]() {
      model.dispose();
    },
  };
  callsOfModels.set(model, calls);
  return model;
}

/** The stream of a source, which must be moved to the worker because it cannot be cloned. */
function streamOf(source: ModelSource | undefined): Transferable[] {
  return typeof source === "object" && "body" in source && source.body ? [source.body as never] : [];
}

/** Makes a relative URL absolute: in the worker it would be relative to the worker's script instead of the page. */
function absolute(source: ModelSource): ModelSource {
  if (source instanceof URL) return source.href;
  if (typeof source !== "string" || /^[\w.-]+$/.test(source) || /^[\w.-]+:/.test(source)) return source;
  return new URL(source, location.href).href;
}
