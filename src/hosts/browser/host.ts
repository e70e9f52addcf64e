/**
 * Browsers, and whatever else has `fetch` and no files: models by name (kept in the browser's storage) or URL, wasm beside this file, threads as Web Workers.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { ensureModel, findModel, openModel } from "../../hub/hub.ts";
import { parseReference } from "../../hub/reference.ts";
import { urlSource } from "../../io/url-source.ts";
import type { Host } from "../../load/host.ts";
import type { Build } from "../../runtime/kernels.ts";
import type { ThreadStart } from "../../runtime/threads.ts";
import { browserHub } from "./hub.ts";

/** Written literally, one by one: so bundlers see the files and bring them along. */
const wasmUrl = (build: Build): URL => {
  if (build === "simd") return new URL("./wasm/simd.wasm", import.meta.url);
  if (build === "relaxed") return new URL("./wasm/relaxed.wasm", import.meta.url);
  return new URL("./wasm/threads.wasm", import.meta.url);
};

const modules = new Map<Build, Promise<WebAssembly.Module>>();

async function compile(url: URL): Promise<WebAssembly.Module> {
  const { size, read } = await urlSource(url);
  return WebAssembly.compile((await read(0, size)) as Uint8Array<ArrayBuffer>);
}

/** The thread of a page must not wait for another; a worker may, where memory can be shared. */
const mayWait = (): boolean => "WorkerGlobalScope" in globalThis && globalThis.crossOriginIsolated === true;

export const browserHost: Host = {
  name: "browser",
  wasm(build) {
    let module = modules.get(build);
    if (!module) {
      module = compile(wasmUrl(build));
      modules.set(build, module);
      module.catch(() => modules.delete(build)); // a later load may try again
    }
    return module;
  },
  async threads() {
    return mayWait() ? navigator.hardwareConcurrency : 1;
  },
  async startThread(start: ThreadStart) {
    if (!mayWait())
      throw new NibbleError("unsupported_host", "expected a worker of a cross-origin isolated page, for threads");
    const worker = new Worker(new URL("./browser-thread.js", import.meta.url), { type: "module" });
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message }) =>
        reject(new NibbleError("unsupported_host", `expected a worker to start: ${message}`));
      worker.postMessage(start);
    });
    return worker;
  },
  async open(name) {
    if (name === "crumb")
      return { file: await urlSource(new URL("./crumb.gguf", import.meta.url)), siblings: undefined };
    const reference = parseReference(name);
    if (reference) {
      const { cache, settings } = await browserHub();
      // An URL that was not pulled is streamed: a page may want it once only.
      const record = await (reference.kind === "url" ? findModel : ensureModel)(reference, cache, settings);
      if (record) return openModel(record, cache);
    }
    return { file: await urlSource(new URL(name, globalThis.location?.href)), siblings: undefined };
  },
};
