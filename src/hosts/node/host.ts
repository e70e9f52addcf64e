/**
 * Node, and with the same modules Deno and Bun: files, folders and the wasm builds beside this file.
 * Nothing is imported before a function is called.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { ensureModel, openModel } from "../../hub/hub.ts";
import { parseReference } from "../../hub/reference.ts";
import type { Host } from "../../load/host.ts";
import type { Thread, ThreadStart } from "../../runtime/threads.ts";
import { directoryFiles, fileSource } from "./files.ts";

async function bytesBeside(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(new URL(name, import.meta.url)));
}

/** A worker that does not keep the process alive. @throws NibbleError `unsupported_host` where it fails to start */
export async function startThread(entry: URL, workerData: ThreadStart): Promise<Thread> {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(entry, { workerData, execArgv: [] }); // flags such as --input-type are the caller's
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", (cause) =>
      reject(new NibbleError("unsupported_host", `expected a worker thread to start: ${cause.message}`, { cause })),
    );
  });
  // A later failure reaches the caller through the shared memory: the barrier sees it.
  worker.on("error", () => {});
  worker.unref();
  return { terminate: () => void worker.terminate() };
}

/** A path, also of a file URL: `new URL("model.gguf", import.meta.url)` is how a module names what lies beside it. */
async function pathOf(name: string): Promise<string> {
  if (!name.startsWith("file:")) return name;
  const { fileURLToPath } = await import("node:url");
  return fileURLToPath(name);
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

export const nodeHost: Host = {
  name: "node",
  wasm(build) {
    let module = modules.get(build);
    if (!module) {
      module = bytesBeside(`./wasm/${build}.wasm`).then((bytes) => WebAssembly.compile(bytes));
      modules.set(build, module);
      module.catch(() => modules.delete(build)); // a later load may try again
    }
    return module;
  },
  async threads() {
    const { availableParallelism } = await import("node:os");
    return availableParallelism();
  },
  startThread: (start) => startThread(new URL("./thread.js", import.meta.url), start),
  async open(name) {
    if (name === "crumb")
      return {
        file: await fileSource(await pathOf(new URL("./crumb.gguf", import.meta.url).href)),
        siblings: undefined,
      };
    const reference = parseReference(name);
    if (reference) {
      const { nodeHub } = await import("./hub.ts");
      const { cache, settings } = await nodeHub();
      return openModel(await ensureModel(reference, cache, settings), cache);
    }
    const { stat } = await import("node:fs/promises");
    const { dirname } = await import("node:path");
    const missing = (cause: unknown): never => {
      const message = `expected a model name, a GGUF file or a model folder, got ${name}`;
      throw new NibbleError("missing_file", message, { cause });
    };
    const path = await pathOf(name).catch(missing);
    const stats = await stat(path).catch(missing);
    if (stats.isDirectory()) return { files: directoryFiles(path) };
    return { file: await fileSource(path), siblings: directoryFiles(dirname(path)) };
  },
};
