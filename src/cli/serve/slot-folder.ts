/**
 * Saved slots as files of a folder.
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { removeUnfinished, writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { ifThere } from "../../hosts/node/io.ts";
import type { SlotStore } from "../../server/llama-server/slot-store.ts";

/** A file is complete or not there. Of several writers the last one wins. */
export function folderStore(folder: string): SlotStore {
  void removeUnfinished(folder).catch(() => {}); // the folder may be gone, which the first request tells
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
