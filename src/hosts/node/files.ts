/**
 * The files and folders of Node, Deno and Bun as byte sources.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type ByteSource, type FileSet, fillSource } from "../../io/byte-source.ts";
import { ifThere, io, isUnreadable } from "./io.ts";

type FileHandle = import("node:fs/promises").FileHandle;

/**
 * A source over a file. It reads straight into wasm memory where the loader asks for that. Its reads reject with NibbleError
 * `truncated`, `io_error`.
 * @throws NibbleError `missing_file` where there is no file at the path, `io_error` where it cannot be opened
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const { open, stat } = await import("node:fs/promises");
  let file: FileHandle;
  let size: number;
  try {
    const stats = await stat(path); // comes first, because opening a pipe would wait for its writer
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a folder" : "it is a pipe or a device");
    size = stats.size;
    file = await open(path, "r");
  } catch (cause) {
    throw notReadable(path, cause as NodeJS.ErrnoException);
  }
  const fill = async (offset: number, target: Uint8Array): Promise<void> => {
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await file.read(target, done, target.length - done, offset + done).catch((cause: Error) => {
        throw new NibbleError("io_error", `could not read ${path} at ${offset + done}: ${cause.message}`, { cause });
      });
      if (bytesRead === 0)
        throw new NibbleError("truncated", `${path}: the file had ${size} bytes and now ends at ${offset + done}`);
      done += bytesRead;
    }
  };
  return fillSource(size, fill, () => file.close());
}

/** The error of a path that is no file, or that the system cannot open just now. */
function notReadable(path: string, cause: NodeJS.ErrnoException): NibbleError {
  const code = isUnreadable(cause) ? "io_error" : "missing_file";
  return new NibbleError(code, `expected a readable file, got ${path}: ${cause.message}`, { cause });
}

/** The one folder inside of a model's folder whose files are read. */
const TEMPLATES = "additional_chat_templates";

/** A folder as a set of files. Names are plain, below at most one folder, so that none leads out of it. */
export function directoryFiles(directory: string): FileSet {
  const pathOf = async (name: string): Promise<string> => {
    if (!/^(?!\.\.?(?:\/|$))(?:[\w.-]+\/)?(?!\.\.?$)[\w.-]+$/.test(name))
      throw new NibbleError("invalid_argument", `expected a plain file name, got ${JSON.stringify(name)}`);
    const { join } = await import("node:path");
    return join(directory, name);
  };
  return {
    open: async (name) => fileSource(await pathOf(name)),
    async has(name) {
      const { stat } = await import("node:fs/promises");
      const path = await pathOf(name);
      return (await ifThere(path, () => stat(path)))?.isFile() ?? false;
    },
    async list() {
      const { readdir } = await import("node:fs/promises");
      const { join } = await import("node:path");
      const templates = join(directory, TEMPLATES);
      const top = await io(directory, () => readdir(directory));
      const below = (await ifThere(templates, () => readdir(templates))) ?? [];
      return [...top, ...below.map((name) => `${TEMPLATES}/${name}`)];
    },
  };
}
