/**
 * Saved slots as files of a folder.
 * @module
 */
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SlotStore } from "../../server/llama-server/slot-store.ts";

/**
 * A file is written under another name first, so that it is complete or not there. Of several writers the last one
 * wins.
 */
export function folderStore(folder: string): SlotStore {
  let writes = 0;
  return {
    read: async (name) =>
      existsSync(join(folder, name)) ? new Uint8Array(await readFile(join(folder, name))) : undefined,
    async write(name, bytes) {
      const path = join(folder, name);
      const partial = `${path}.${process.pid}-${writes++}.part`;
      await writeFile(partial, bytes);
      await rename(partial, path);
    },
  };
}
