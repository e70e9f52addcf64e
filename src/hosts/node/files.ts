/**
 * Files and folders of Node, Deno and Bun as byte sources.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type ByteSource, checkRange, type FileSet } from "../../io/byte-source.ts";

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
