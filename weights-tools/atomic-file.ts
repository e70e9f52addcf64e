/**
 * Files that Node writes completely or not at all.
 * @module
 */
import { randomUUID } from "node:crypto";
import { lstat, open, readdir, readlink, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NibbleError } from "../src/base/errors.ts";
import type { ByteSink } from "./gguf/writer.ts";

/** The error of what a signal interrupted. */
export class InterruptedError extends NibbleError {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals, message: string) {
    super("io_error", message);
    this.signal = signal;
  }
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Writes a file through `fill`. The bytes go to a temporary file beside it, which is renamed once they are on the disk and
 * removed if anything fails, so an older file stays until then. A symbolic link stays too: its target is written. What is
 * there and is no regular file, such as a pipe or a device, is refused. After a first signal the next write fails; a
 * second signal ends the process at once, as usual.
 * @param options `signals`: whether signals end the write (default true); a server lets it finish. `mode`: the permissions
 *   of the new file (default 0o666, less the umask)
 * @returns what `fill` returned
 * @throws NibbleError `io_error`, also if the folder is missing; InterruptedError; what `fill` rejects with
 */
export async function writeFileAtomically<T>(
  path: string,
  fill: (sink: ByteSink) => Promise<T>,
  { signals = true, mode }: { readonly signals?: boolean; readonly mode?: number } = {},
): Promise<T> {
  const target = await io(path, () => targetOf(path));
  const temporary = `${target}.${randomUUID()}.tmp`;
  let signal: NodeJS.Signals | undefined;
  const onSignal = (came: NodeJS.Signals): void => {
    signal = came;
    ignoreSignals();
  };
  const ignoreSignals = (): void => {
    for (const one of SIGNALS) process.off(one, onSignal);
  };
  /** Node delivers signals between turns of the event loop, so each write waits for a turn. */
  const proceed = async (): Promise<void> => {
    await new Promise(setImmediate);
    if (signal !== undefined) throw new InterruptedError(signal, `${path} was not written, because ${signal} came`);
  };
  if (signals) for (const one of SIGNALS) process.on(one, onSignal);
  try {
    const file = await io(path, () => open(temporary, "wx", mode));
    try {
      let result: T;
      try {
        result = await fill({
          async write(bytes) {
            await proceed();
            await io(path, () => writeAll(file, bytes));
          },
        });
        await io(path, () => file.sync());
      } finally {
        await file.close();
      }
      await proceed();
      await io(path, () => rename(temporary, target));
      return result;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  } finally {
    ignoreSignals();
  }
}

/** The name that a file has while it is written. */
const UNFINISHED = /\.[0-9a-f-]{36}\.tmp$/;
/** Milliseconds after which nobody writes to such a file any more. */
const STALE = 3_600_000;

/** Removes the unfinished files that killed processes have left in a folder. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!UNFINISHED.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE) await rm(path, { force: true });
  }
}

/** Most links to follow, as in Linux. */
const MAX_LINKS = 40;

/** The path behind symbolic links, whether there is a file or not. @throws Error if something else than a file is there */
async function targetOf(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stats = await lstat(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (!stats || stats.isFile()) return target;
    if (!stats.isSymbolicLink()) throw new Error("expected a regular file or none, but something else is there");
    target = resolve(dirname(target), await readlink(target));
  }
  throw new Error("its symbolic links lead in a circle");
}

type FileHandle = Awaited<ReturnType<typeof open>>;

/** Writes all bytes: `FileHandle.write` may write fewer than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

async function io<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new NibbleError("io_error", `could not write ${path}: ${(cause as Error).message}`, { cause });
  }
}
