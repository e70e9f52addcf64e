/**
 * Saved slots as files of a folder.
 * @module
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { ifThere } from "../../hosts/node/io.ts";
import type { SlotStore } from "../../server/llama-server/slot-store.ts";

/** The name that a file has while it is written. A process that was killed leaves it. */
const UNFINISHED = /\.[0-9a-f-]{36}\.tmp$/;
/** Milliseconds after which nobody writes to such a file any more. */
const STALE = 3_600_000;

/** A file is complete or not there. Of several writers the last one wins. */
export function folderStore(folder: string): SlotStore {
  void removeStale(folder).catch(() => {}); // the folder may be gone, which the first request tells
  return {
    async read(name) {
      const path = join(folder, name);
      // Anything else than a file, such as a pipe, could be read for ever.
      const stats = await ifThere(path, () => stat(path));
      return stats?.isFile() ? new Uint8Array(await readFile(path)) : undefined;
    },
    write: (name, bytes) => writeFileAtomically(join(folder, name), (sink) => sink.write(bytes), { signals: false }),
  };
}

async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!UNFINISHED.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE) await rm(path, { force: true });
  }
}
