/**
 * A lock between processes: a file that names its owner, and that counts as free when the owner has ended. The cache stays
 * sound even if the lock fails, because a piece has the same bytes whichever process writes it. The lock only keeps two
 * pulls from doing the same work.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { pause } from "../../hub/http.ts";
import { ifThere, ioError, isMissing } from "./io.ts";

export interface Lock {
  /** Lets other processes have the lock. */
  release(): Promise<void>;
}

/** Milliseconds between two heartbeats of an owner. A heartbeat sets the modification time of the lock's file. */
const BEAT_MS = 5_000;
/**
 * Milliseconds without a heartbeat after which an owner counts as dead: by the date of the file, or, since the clock of
 * another machine may be ahead, by how long this process has seen the same date.
 */
const DEAD_MS = 30_000;
/** Milliseconds between two attempts to take the lock. */
const POLL_MS = 100;

/**
 * Takes the lock as soon as it is free, or its owner is dead.
 * @param waitMs most milliseconds to wait; without it, there is no limit
 * @throws NibbleError `io_error` if it stays taken, or if the file cannot be written
 */
export async function lock(path: string, signal?: AbortSignal, waitMs?: number): Promise<Lock> {
  const fs = await import("node:fs/promises");
  const { hostname } = await import("node:os");
  const { randomUUID } = await import("node:crypto");
  const { pid } = await import("node:process");
  const mine = JSON.stringify({ pid, host: hostname(), id: randomUUID() });
  const start = performance.now();
  const watched: Heartbeat = { date: Number.NaN, since: start };
  for (;;) {
    try {
      await fs.writeFile(path, mine, { flag: "wx" });
      break;
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === "EEXIST";
      // On a full disk the file was made and stays empty, and others would wait for its owner.
      if (!isTaken) {
        await removeEmpty(path);
        throw new NibbleError("io_error", `could not write ${path}: ${(cause as Error).message}`, { cause });
      }
    }
    if (await breakIfDead(path, watched)) continue; // the next attempt may take it, however short the wait
    if (waitMs !== undefined && performance.now() - start >= waitMs)
      throw new NibbleError("io_error", `another process has the lock ${path}`);
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
      // The file is deleted only if it is still ours: another process may have taken it while this one was suspended.
      if ((await fs.readFile(path, "utf8").catch(() => "")) === mine) await fs.rm(path, { force: true });
    },
  };
}

async function removeEmpty(path: string): Promise<void> {
  const fs = await import("node:fs/promises");
  const stats = await fs.stat(path).catch(() => undefined); // the error of the writing is the one to tell
  if (stats?.size === 0) await fs.rm(path, { force: true }).catch(() => {});
}

/** The date of the last heartbeat, and when this process saw it first. */
interface Heartbeat {
  /** Milliseconds since 1970, by the owner's clock. */
  date: number;
  /** Milliseconds, by this process's monotonic clock. */
  since: number;
}

/** Deletes the lock's file if its owner is dead. @returns whether it did, or found no lock */
async function breakIfDead(path: string, watched: Heartbeat): Promise<boolean> {
  const fs = await import("node:fs/promises");
  const { randomUUID } = await import("node:crypto");
  const text = await ifThere(path, () => fs.readFile(path, "utf8"));
  const stats = await ifThere(path, () => fs.stat(path));
  if (text === undefined || stats === undefined) return true; // it has been released
  const now = performance.now();
  if (watched.date !== stats.mtimeMs) Object.assign(watched, { date: stats.mtimeMs, since: now });
  const silent = Math.max(Date.now() - stats.mtimeMs, now - watched.since);
  if (silent < DEAD_MS && (text === "" || !(await isDeadHere(text)))) return false;
  // It is moved away first, which only one of several processes can do. If it turns out to be a newer lock, it is put back.
  const aside = `${path}.${randomUUID()}`;
  const moved = await fs.rename(path, aside).then(
    () => true,
    (error: unknown) => {
      // Nobody may wait for ever for a lock that cannot be removed.
      if (!isMissing(error)) throw ioError(path, error);
      return false;
    },
  );
  if (!moved) return false;
  const isOther = (await fs.readFile(aside, "utf8").catch(() => undefined)) !== text;
  if (isOther) await fs.link(aside, path).catch(() => {});
  await fs.rm(aside, { force: true });
  return !isOther;
}

/** Whether the owner was a process of this machine and has ended. */
async function isDeadHere(text: string): Promise<boolean> {
  const { hostname } = await import("node:os");
  const { kill } = await import("node:process");
  let owner: { pid?: unknown; host?: unknown };
  try {
    owner = JSON.parse(text);
  } catch {
    return false; // its owner has created it and not written it yet
  }
  if (owner.host !== hostname() || !Number.isSafeInteger(owner.pid)) return false;
  try {
    kill(owner.pid as number, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
