/**
 * The secret that signs saved slots: a file of the operator, or one in the cache's directory that is made once.
 * @module
 */
import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { ifThere } from "../../hosts/node/io.ts";
import { requires, UsageError } from "../flags.ts";
import type { ServeFlags } from "./flags.ts";

const LEAST = 32;
const MOST = 4096;

/** Undefined for a server that saves no slots. @throws UsageError for a secret that is too short; NibbleError `io_error` */
export async function readSlotKey({ slots, slotKeyFile }: ServeFlags): Promise<Uint8Array | undefined> {
  if (slots === undefined) {
    if (slotKeyFile === undefined) return undefined;
    throw requires("--slot-key-file", "--slot-save-path", "it signs what is saved there");
  }
  const path = slotKeyFile ?? join((await nodeHub()).directory, "slot.key");
  try {
    if (slotKeyFile === undefined) await makeOnce(path);
    const key = new Uint8Array(await readFile(path));
    if (key.length >= LEAST && key.length <= MOST) return key;
    throw new UsageError(
      `${path}: expected a secret of ${LEAST} to ${MOST} bytes, got ${key.length}`,
      "--slot-key-file",
    );
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const message = `the secret that signs saved slots: ${(cause as Error).message}; --slot-key-file names another file`;
    throw new NibbleError("io_error", message, { cause });
  }
}

/** Of several processes that begin together one makes the file. It is complete from the beginning, and for its owner only. */
async function makeOnce(path: string): Promise<void> {
  const own = `${path}.${randomUUID()}.part`;
  await mkdir(join(path, ".."), { recursive: true });
  if (await ifThere(path, () => readFile(path))) return;
  await writeFile(own, randomBytes(LEAST), { mode: 0o600, flag: "wx" });
  try {
    await link(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(own);
  }
}
