/**
 * Files written by Node: complete under their name, or not there at all.
 * @module
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { NibbleError } from "../src/errors.ts";
import type { ByteSink } from "./gguf-writer.ts";

/**
 * Writes a file through `fill`. Bytes go to a temporary name beside `path`, which is renamed once they are on the
 * disk, and removed if anything fails: an older file at `path` stays until then.
 * @returns what `fill` returned
 * @throws NibbleError `io_error`; what `fill` rejects with
 */
export async function writeFileAtomically<T>(path: string, fill: (sink: ByteSink) => Promise<T>): Promise<T> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await io(path, () => mkdir(dirname(path), { recursive: true }));
  const file = await io(path, () => open(temporary, "wx"));
  try {
    let result: T;
    try {
      result = await fill({ write: (bytes) => io(path, () => writeAll(file, bytes)) });
      await io(path, () => file.sync());
    } finally {
      await file.close();
    }
    await io(path, () => rename(temporary, path));
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

type FileHandle = Awaited<ReturnType<typeof open>>;

/** `write` may take fewer bytes than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

async function io<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new NibbleError("io_error", `could not write ${path}: ${(cause as Error).message}`, { cause });
  }
}
