/**
 * Node, and with the same modules Deno and Bun: files, folders and the wasm builds beside this file.
 * Nothing is imported before a function is called.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { checkRange } from "../formats/sources.ts";
import type { ByteSource, FileSet } from "../formats/types.ts";
import { ensureModel, openModel } from "../hub/hub.ts";
import { parseReference } from "../hub/reference.ts";
import type { Thread, ThreadStart } from "../runtime/threads.ts";
import type { Host } from "./host.ts";

type FileHandle = import("node:fs/promises").FileHandle;

/**
 * A file, read in place: straight into wasm memory where the loader asks for it.
 * @throws NibbleError `missing_file`; its reads `truncated`, `io_error`
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const { open, stat } = await import("node:fs/promises");
  let file: FileHandle;
  let size: number;
  try {
    const stats = await stat(path); // before opening: a pipe without a writer would never open
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a folder" : "it is a pipe or a device");
    size = stats.size;
    file = await open(path, "r");
  } catch (cause) {
    throw new NibbleError("missing_file", `expected a readable file, got ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    checkRange(size, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await file.read(target, done, target.length - done, offset + done).catch((cause: Error) => {
        throw new NibbleError("io_error", `could not read ${path} at ${offset + done}: ${cause.message}`, { cause });
      });
      if (bytesRead === 0)
        throw new NibbleError("truncated", `${path}: expected ${size} bytes, the file ended at ${offset + done}`);
      done += bytesRead;
    }
  };
  return {
    size,
    readInto,
    async read(offset, length) {
      checkRange(size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
    close: () => file.close(),
  };
}

/** A folder; only plain names are opened, never a path out of it. */
export function directoryFiles(directory: string): FileSet {
  const pathOf = async (name: string): Promise<string> => {
    if (!/^[\w.-]+$/.test(name) || name === "." || name === "..")
      throw new NibbleError("invalid_argument", `expected a plain file name, got ${JSON.stringify(name)}`);
    const { join } = await import("node:path");
    return join(directory, name);
  };
  return {
    open: async (name) => fileSource(await pathOf(name)),
    async has(name) {
      const { stat } = await import("node:fs/promises");
      return stat(await pathOf(name)).then(
        (stats) => stats.isFile(),
        () => false,
      );
    },
  };
}

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
      const { nodeHub } = await import("./node-hub.ts");
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
