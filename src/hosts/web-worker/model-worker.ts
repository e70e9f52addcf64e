/**
 * The entry of the worker that runs a page's model (`dist/model-worker.js`). A worker runs one model.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import { createLoad } from "../../load/create-load.ts";
import { browserHost } from "../browser/host.ts";
import { type FromWorker, type Method, postedError, type ToWorker } from "./messages.ts";

const post = (message: FromWorker): void => postMessage(message);
const load = createLoad(browserHost);
/** The controllers that end the running calls, by the id of the call. */
const calls = new Map<number, AbortController>();
let model: Model;

/** The arguments come from the page as they are, and `Model` checks them. */
// biome-ignore lint/suspicious/noExplicitAny: as posted
const METHODS: { readonly [name in Method]: (args: readonly any[], signal: AbortSignal) => unknown } = {
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

/** Runs one call to its end and posts its values, or its error unless it was aborted. */
async function answer({ id, method, args }: ToWorker & { type: "call" }): Promise<void> {
  const controller = new AbortController();
  calls.set(id, controller);
  try {
    const value = await METHODS[method](args, controller.signal);
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

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "call") void answer(data);
  else calls.get(data.id)?.abort();
});
