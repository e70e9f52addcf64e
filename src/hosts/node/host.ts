/**
 * The host for Node, and for Deno and Bun, which have the same modules. Models come from files and folders, or by name, and
 * the wasm builds lie beside this file. Node's modules are imported when a function needs them and not before.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { ensureModel, openModel } from "../../hub/hub.ts";
import { noSuchModel } from "../../hub/near-names.ts";
import { parseReference } from "../../hub/reference.ts";
import { compileOnce } from "../../load/compile-once.ts";
import type { Host } from "../../load/host.ts";
import type { Thread, ThreadStart } from "../../runtime/threads.ts";
import { directoryFiles, fileSource } from "./files.ts";
import { ioError, isUnreadable } from "./io.ts";
import { crumbPath, filePath, threadPath, wasmBytes } from "./package-files.ts";
import { compileRevectorized } from "./revectorize.ts";

/** Starts a worker that does not keep the process alive. @throws NibbleError `unsupported_host` if it fails to start */
export async function startThread(script: string, workerData: ThreadStart): Promise<Thread> {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(script, { workerData, execArgv: [] }); // without flags of this process, such as --input-type
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", (cause) =>
      reject(new NibbleError("unsupported_host", `a worker thread failed to start: ${cause.message}`, { cause })),
    );
  });
  // During a run, a failure reaches the caller through the shared memory, because the barrier notices it.
  const ended = new Promise<unknown>((resolve) => {
    worker.on("error", resolve);
    worker.on("exit", (code) => resolve(`exit code ${code}`));
  });
  worker.unref();
  return { terminate: () => void worker.terminate(), ended };
}

/** The path of a name, which may be a file URL: modules write `new URL("model.gguf", import.meta.url)`. */
const pathOf = async (name: string): Promise<string> => (name.startsWith("file:") ? filePath(name) : name);

export const nodeHost: Host = {
  name: "node",
  wasm: compileOnce(async (build) => WebAssembly.compile(await wasmBytes(build))),
  revectorized: compileOnce(async (build) => compileRevectorized(build, await wasmBytes(build))),
  async threads() {
    const { availableParallelism } = await import("node:os");
    return availableParallelism();
  },
  startThread: async (start) => startThread(await threadPath(), start),
  async open(name) {
    if (name === "crumb") return { file: await fileSource(await crumbPath()), siblings: undefined };
    const reference = parseReference(name);
    if (reference) {
      const { nodeHub } = await import("./hub.ts");
      const { cache, settings } = await nodeHub();
      return openModel(await ensureModel(reference, cache, settings), cache);
    }
    const { stat } = await import("node:fs/promises");
    const { dirname } = await import("node:path");
    const missing = (cause: NodeJS.ErrnoException): never => {
      if (isUnreadable(cause) && cause.code !== "ENAMETOOLONG") throw ioError(name, cause);
      throw new NibbleError("missing_file", noSuchModel(name), { cause });
    };
    const path = await pathOf(name).catch(missing);
    const stats = await stat(path).catch(missing);
    if (stats.isDirectory()) return { files: directoryFiles(path) };
    return { file: await fileSource(path), siblings: directoryFiles(dirname(path)) };
  },
};
