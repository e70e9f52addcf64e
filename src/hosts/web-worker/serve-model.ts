/**
 * The worker's side of the messages: it loads one model, and answers the calls of its page.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import { createLoad } from "../../load/create-load.ts";
import { browserHost } from "../browser/host.ts";
import { type FromWorker, type Method, postedError, type ToWorker } from "./messages.ts";

/**
 * A method that the page calls with arguments as they were posted. It returns one value, an iterator of many, or a promise
 * of either.
 */
// biome-ignore lint/suspicious/noExplicitAny: as posted
export type WorkerMethod = (args: readonly any[], signal: AbortSignal, model: Model) => unknown;

const post = (message: FromWorker): void => postMessage(message);
const load = createLoad(browserHost);
/** The controllers that end the running calls, by the id of the call. */
const calls = new Map<number, AbortController>();
let model: Model;

/** The arguments come from the page as they are, and `Model` checks them. */
const METHODS: { readonly [name in Method]: WorkerMethod } = {
  async load([source, { reports, ...options }], signal) {
    const onProgress: typeof options.onProgress = (progress: never) => post({ type: "progress", progress });
    model = await load(source, { ...options, ...(reports && { onProgress }), signal });
    return model.info;
  },
  chat: ([request], signal) => model.chat.completions.create(request, { signal }),
  completion: ([request], signal) => model.completions.create(request, { signal }),
  embeddings: ([request], signal) => model.embeddings.create(request, { signal }),
  embed: ([texts, options], signal) => model.embed(texts, { ...options, signal }),
  generate: ([options], signal) => model.generate({ ...options, signal }),
  tokenize: ([text, options]) => model.tokenize(text, options),
  detokenize: ([ids, options]) => model.detokenize(ids, options),
  applyTemplate: ([messages, options]) => model.applyTemplate(messages, options),
};

type Methods = Readonly<Record<string, WorkerMethod>>;

/** Runs one call to its end and posts its values, or its error unless it was aborted. */
async function answer({ id, method, args }: ToWorker & { type: "call" }, methods: Methods): Promise<void> {
  const controller = new AbortController();
  calls.set(id, controller);
  try {
    const run = methods[method];
    if (!run) throw new NibbleError("invalid_argument", `the model's worker has no method ${method}`);
    const value = await run(args, controller.signal, model);
    if (typeof value === "object" && value !== null && Symbol.asyncIterator in value) {
      post({ type: "started", id });
      for await (const each of value as AsyncIterable<unknown>) post({ type: "value", id, value: each });
      post({ type: "end", id });
    } else post({ type: "end", id, value });
  } catch (error) {
    if (!controller.signal.aborted) post({ type: "error", id, error: postedError(error) });
  } finally {
    calls.delete(id);
  }
}

/**
 * Begins to answer calls.
 * @param more methods besides those of `Method`, for which the page makes its calls by `callsOf`
 */
export function serveModel(more: Methods = {}): void {
  const methods: Methods = { ...more, ...METHODS };
  addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === "call") void answer(data, methods);
    else calls.get(data.id)?.abort();
  });
}
