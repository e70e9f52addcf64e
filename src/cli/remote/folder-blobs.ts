/**
 * Files of one folder as the blobs of batches.
 * @module
 */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { appendFile, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { BlobStore } from "../../batch/store.ts";
import { io, writeAll } from "../../hosts/node/io.ts";

/** @param maxBytes most bytes of all files together; undefined: as many as the disk holds */
export function folderBlobs(folder: string, maxBytes?: number): BlobStore {
  const pathOf = (name: string): string => join(folder, name);
  /** Counted anew for each upload, because other programs may use the folder too. */
  const room = async (): Promise<number> => {
    if (maxBytes === undefined) return Infinity;
    const sizes = (await readdir(folder)).map(async (name) => (await stat(pathOf(name)).catch(() => undefined))?.size);
    return maxBytes - (await Promise.all(sizes)).reduce<number>((sum, size = 0) => sum + size, 0);
  };
  return {
    names: async (prefix) =>
      (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp")),
    size: async (name) => (await stat(pathOf(name)).catch(() => undefined))?.size,
    async *read(name, start = 0, end = Infinity) {
      if (end <= start || (await stat(pathOf(name)).catch(() => undefined)) === undefined) return;
      yield* createReadStream(pathOf(name), { start, end: end - 1, highWaterMark: 2 ** 18 });
    },
    async write(name, chunks) {
      let left = await room();
      await writeWhole(pathOf(name), chunks, (bytes) => {
        left -= bytes;
        if (left < 0) throw new NibbleError("too_large", `the server keeps ${maxBytes} bytes of files; delete some`);
      });
    },
    append: (name, bytes) => io(pathOf(name), () => appendFile(pathOf(name), bytes)),
    delete: (name) => io(pathOf(name), () => rm(pathOf(name), { force: true })),
  };
}

/**
 * Writes a file completely or not at all. Signals do not end it, since a server that is told to end still writes down what it
 * has.
 * @param spend called with the bytes of each chunk before they are written
 */
async function writeWhole(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  spend: (bytes: number) => void,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await io(path, () => open(temporary, "wx"));
  try {
    let position = 0;
    for await (const chunk of chunks) {
      spend(chunk.length);
      await io(path, () => writeAll(file, chunk, position));
      position += chunk.length;
    }
    await io(path, () => file.sync());
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  await io(path, () => rename(temporary, path));
}
