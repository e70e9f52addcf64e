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
    throw ioError(path, cause);
  }
}

/** The error of a failure of the system on a path. */
export function ioError(path: string, cause: unknown): NibbleError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
  return new NibbleError("io_error", `could not use ${path}: ${reason}`, { cause });
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
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}

/** `ifThere` for calls that wait. (`existsSync` and its kin take every failure for a missing file.) */
export function ifThereSync<T>(path: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ioError(path, error);
  }
}

/** Whether the system says that there is nothing at a path. Of `a/b` where `a` is a file, it says ENOTDIR. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Whether a call of the operating system failed, such as a write to a full disk: `ENOSPC: no space left on device, write`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return error instanceof Error && typeof code === "string" && typeof syscall === "string";
}

/** Whether the system cannot tell just now what is at a path. Errors of any other kind say that no file can be there. */
export function isUnreadable(error: unknown): boolean {
  return isSystemError(error) && !isMissing(error);
}

/** Writes all bytes at a position of a file: one write may take only some of them. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** Failures of a disk; any other failure of a folder's fsync says that the file system has no such step. */
const DISK_ERRORS: ReadonlySet<string | undefined> = new Set(["EIO", "ENOSPC", "EDQUOT"]);

/** Makes the names in a folder durable: a rename is on the disk only once its folder is. Windows needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  const { open } = await import("node:fs/promises");
  const unlessDisk = (error: NodeJS.ErrnoException): undefined => {
    if (DISK_ERRORS.has(error.code)) throw error;
  };
  const handle = await open(folder, "r").catch(unlessDisk);
  try {
    await handle?.sync().catch(unlessDisk);
  } finally {
    await handle?.close();
  }
}
