/**
 * Errors of the file system, and durable writing.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";

type FileHandle = import("node:fs/promises").FileHandle;

/** Runs `action` on a path. @throws NibbleError `io_error` where it fails, with the path and the reason */
export async function io<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
    throw new NibbleError("io_error", `could not use ${path}: ${reason}`, { cause });
  }
}

/**
 * Runs `action` on a path that may not exist.
 * @returns its result; undefined where there is nothing at the path
 * @throws NibbleError `io_error` where it fails for any other reason: a file that cannot be read just now is not a missing one
 */
export function ifThere<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
  return io(path, async () => {
    try {
      return await action();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Of `a/b` where `a` is a file, the system says ENOTDIR.
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  });
}

/** Writes all bytes at a position of a file: one write may take only some of them. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** Makes the names in a folder durable: a rename is on the disk only once its folder is. Windows needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  const { open } = await import("node:fs/promises");
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
