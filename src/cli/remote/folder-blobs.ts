/**
 * Files of one folder as the blobs of batches.
 * @module
 */
import { createReadStream } from "node:fs";
import { appendFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { removeUnfinished, writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import type { ByteSink } from "../../../weights-tools/gguf/writer.ts";
import { NibbleError } from "../../base/errors.ts";
import type { BlobStore } from "../../batch/store.ts";
import { ifThere, io } from "../../hosts/node/io.ts";

/** @param maxBytes most bytes of all files together; undefined: as many as the disk holds */
export function folderBlobs(folder: string, maxBytes?: number): BlobStore {
  void removeUnfinished(folder).catch(() => {}); // the folder may not be there yet; what cannot be removed is no blob
  const pathOf = (name: string): string => join(folder, name);
  const sizeOf = async (name: string): Promise<number | undefined> =>
    (await ifThere(pathOf(name), () => stat(pathOf(name))))?.size;
  /** Counted anew for each upload, because other programs may use the folder too. */
  const room = async (): Promise<number> => {
    if (maxBytes === undefined) return Infinity;
    const sizes = await Promise.all((await readdir(folder)).map(sizeOf));
    return maxBytes - sizes.reduce<number>((sum, size = 0) => sum + size, 0);
  };
  return {
    names: async (prefix) =>
      (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp")),
    size: sizeOf,
    async *read(name, start = 0, end = Infinity) {
      if (end <= start || (await sizeOf(name)) === undefined) return;
      yield* createReadStream(pathOf(name), { start, end: end - 1, highWaterMark: 2 ** 18 });
    },
    async write(name, chunks) {
      let left = await room();
      const fill = async (sink: ByteSink): Promise<void> => {
        for await (const chunk of chunks) {
          left -= chunk.length;
          if (left < 0) throw new NibbleError("too_large", `the server keeps ${maxBytes} bytes of files; delete some`);
          await sink.write(chunk);
        }
      };
      // A server that is told to end still writes down what it has.
      await writeFileAtomically(pathOf(name), fill, { signals: false });
    },
    append: (name, bytes) => io(pathOf(name), () => appendFile(pathOf(name), bytes)),
    delete: (name) => io(pathOf(name), () => rm(pathOf(name), { force: true })),
  };
}
