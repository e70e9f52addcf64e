/** A process that saves a slot of one name several times at once, as a server with many clients does. */
import { folderStore } from "../../../src/cli/serve/slot-folder.ts";
import { fileOf } from "../../hub/fault-server.ts";

const store = folderStore(process.argv[2]!);
const bytes = fileOf(2 ** 20);
try {
  await Promise.all(Array.from({ length: 4 }, () => store.write("a.bin", bytes)));
} catch (error) {
  console.error(`nibble: ${(error as Error).message}`);
  process.exitCode = 1;
}
