/**
 * A lock that survives no process: a file that names its owner. What it guards stays sound without it (a piece has the same
 * bytes whoever writes it); it saves the second of two pulls the work.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { pause } from "../../hub/http.ts";

export interface Lock {
  release(): Promise<void>;
}

/** How often the owner shows that it lives, and after how long it is believed dead. */
const BEAT_MS = 5_000;
const DEAD_MS = 30_000;
const POLL_MS = 100;

/**
 * Waits until the lock is free, or its owner dead.
 * @param patienceMs how long; undefined: for ever
 * @throws NibbleError `io_error` where it stays taken, or the file cannot be made
 */
export async function lock(path: string, signal?: AbortSignal, patienceMs?: number): Promise<Lock> {
  const fs = await import("node:fs/promises");
  const { hostname } = await import("node:os");
  const { randomUUID } = await import("node:crypto");
  const { pid } = await import("node:process");
  const mine = JSON.stringify({ pid, host: hostname(), id: randomUUID() });
  const start = performance.now();
  for (;;) {
    try {
      await fs.writeFile(path, mine, { flag: "wx" });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
        throw new NibbleError("io_error", `could not write ${path}: ${(cause as Error).message}`, { cause });
    }
    await breakIfDead(path);
    if (patienceMs !== undefined && performance.now() - start >= patienceMs)
      throw new NibbleError("io_error", `expected ${path} to be free, another process has it`);
    await pause(POLL_MS, signal);
  }
  const beat = setInterval(() => {
    const now = new Date();
    fs.utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref?.();
  return {
    async release() {
      clearInterval(beat);
      // Only if it is still ours: we may have slept so long that another took it.
      if ((await fs.readFile(path, "utf8").catch(() => "")) === mine) await fs.rm(path, { force: true });
    },
  };
}

async function breakIfDead(path: string): Promise<void> {
  const fs = await import("node:fs/promises");
  const { randomUUID } = await import("node:crypto");
  const text = await fs.readFile(path, "utf8").catch(() => undefined);
  const stats = await fs.stat(path).catch(() => undefined);
  if (text === undefined || stats === undefined) return; // released meanwhile
  if (Date.now() - stats.mtimeMs < DEAD_MS && (text === "" || !(await isDeadHere(text)))) return;
  // Moved away first: of several that found it dead, one moves it. What it moved may be a lock made since: back then.
  const aside = `${path}.${randomUUID()}`;
  await fs.rename(path, aside).catch(() => {});
  if ((await fs.readFile(aside, "utf8").catch(() => text)) !== text) await fs.link(aside, path).catch(() => {});
  await fs.rm(aside, { force: true });
}

/** Whether the owner is a process of this machine that has ended. */
async function isDeadHere(text: string): Promise<boolean> {
  const { hostname } = await import("node:os");
  const { kill } = await import("node:process");
  let owner: { pid?: unknown; host?: unknown };
  try {
    owner = JSON.parse(text);
  } catch {
    return false; // being written
  }
  if (owner.host !== hostname() || !Number.isSafeInteger(owner.pid)) return false;
  try {
    kill(owner.pid as number, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
