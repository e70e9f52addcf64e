/**
 * Files that Node writes completely or not at all.
 * @module
 */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { NibbleError } from "../src/base/errors.ts";
import type { ByteSink } from "./gguf/writer.ts";

/** The error of a write that a signal interrupted. */
export class InterruptedError extends NibbleError {
  readonly signal: NodeJS.Signals;

  constructor(path: string, signal: NodeJS.Signals) {
    super("io_error", `${path} was not written, because ${signal} came`);
    this.signal = signal;
  }
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Writes a file through `fill`. The bytes go to a temporary file beside `path`, which is renamed once they are on the
 * disk and removed if anything fails, so an older file at `path` stays until then. After a first signal the next write
 * fails; a second signal ends the process at once, as usual.
 * @returns what `fill` returned
 * @throws NibbleError `io_error`, also if the folder is missing; InterruptedError; what `fill` rejects with
 */
export async function writeFileAtomically<T>(path: string, fill: (sink: ByteSink) => Promise<T>): Promise<T> {
  const temporary = `${path}.${randomUUID()}.tmp`;
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
    if (signal !== undefined) throw new InterruptedError(path, signal);
  };
  for (const one of SIGNALS) process.on(one, onSignal);
  try {
    const file = await io(path, () => open(temporary, "wx"));
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
      await io(path, () => rename(temporary, path));
      return result;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  } finally {
    ignoreSignals();
  }
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
