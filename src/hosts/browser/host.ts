/**
 * The host for browsers, and for others that have `fetch` and no files. Models come by name (and are kept in the browser's
 * storage) or by URL, the wasm builds lie beside this file, and threads are Web Workers.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { ensureModel, findModel, openModel } from "../../hub/hub.ts";
import { parseReference } from "../../hub/reference.ts";
import { urlSource } from "../../io/url-source.ts";
import { compileOnce } from "../../load/compile-once.ts";
import type { Host } from "../../load/host.ts";
import type { Build } from "../../runtime/kernels.ts";
import type { ThreadStart } from "../../runtime/threads.ts";
import { browserHub } from "./hub.ts";
import { startWorker } from "./start-worker.ts";

/** Each URL is written out, because bundlers look for this form and copy the files. */
const wasmUrl = (build: Build): URL => {
  if (build === "simd") return new URL("./wasm/simd.wasm", import.meta.url);
  if (build === "relaxed") return new URL("./wasm/relaxed.wasm", import.meta.url);
  return new URL("./wasm/threads.wasm", import.meta.url);
};

async function compile(build: Build): Promise<WebAssembly.Module> {
  const { size, read } = await urlSource(wasmUrl(build));
  return WebAssembly.compile((await read(0, size)) as Uint8Array<ArrayBuffer>);
}

/**
 * Whether this thread may wait for another one. A page's own thread must not; a worker may, if memory can be shared.
 */
const mayWait = (): boolean => "WorkerGlobalScope" in globalThis && globalThis.crossOriginIsolated === true;

export const browserHost: Host = {
  name: "browser",
  wasm: compileOnce(compile),
  async threads() {
    return mayWait() ? navigator.hardwareConcurrency : 1;
  },
  async startThread(start: ThreadStart) {
    if (!mayWait()) throw new NibbleError("unsupported_host", "threads need a worker of a cross-origin isolated page");
    const ownWorker = () => new Worker(new URL("./browser-thread.js", import.meta.url), { type: "module" });
    const worker = startWorker(ownWorker, "./browser-thread.js", import.meta.url);
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message }) =>
        reject(new NibbleError("unsupported_host", `the worker of a thread failed to start: ${message}`));
      worker.postMessage(start);
    });
    const ended = new Promise<unknown>((resolve) => {
      worker.onerror = ({ message }) => resolve(message);
    });
    return { terminate: () => worker.terminate(), ended };
  },
  async open(name) {
    if (name === "crumb")
      return { file: await urlSource(new URL("./crumb.gguf", import.meta.url)), siblings: undefined };
    const reference = parseReference(name);
    if (reference) {
      const { cache, settings } = await browserHub();
      // A URL that was not pulled is streamed and not kept, because the page may need it only once.
      const record = await (reference.kind === "url" ? findModel : ensureModel)(reference, cache, settings);
      if (record) return openModel(record, cache);
    }
    return { file: await urlSource(new URL(name, globalThis.location?.href)), siblings: undefined };
  },
};
