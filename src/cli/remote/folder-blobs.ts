/**
 * Files of one folder as the blobs of batches.
 * @module
 */
import { createReadStream } from "node:fs";
import { appendFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import type { BlobStore } from "../../batch/store.ts";
import { io } from "../../hosts/node/io.ts";

export function folderBlobs(folder: string): BlobStore {
  const pathOf = (name: string): string => join(folder, name);
  return {
    names: async (prefix) =>
      (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp")),
    size: async (name) => (await stat(pathOf(name)).catch(() => undefined))?.size,
    async *read(name, start = 0, end = Infinity) {
      if (end <= start || (await stat(pathOf(name)).catch(() => undefined)) === undefined) return;
      yield* createReadStream(pathOf(name), { start, end: end - 1, highWaterMark: 2 ** 18 });
    },
    write: (name, chunks) =>
      writeFileAtomically(pathOf(name), async (sink) => {
        for await (const chunk of chunks) await sink.write(chunk);
      }),
    append: (name, bytes) => io(pathOf(name), () => appendFile(pathOf(name), bytes)),
    delete: (name) => io(pathOf(name), () => rm(pathOf(name), { force: true })),
  };
}
