/**
 * Files written by Node: complete under their name, or not there at all.
 * @module
 */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { NibbleError } from "../src/base/errors.ts";
import type { ByteSink } from "./gguf/writer.ts";

/** A signal came while a file was written. */
export class InterruptedError extends NibbleError {
  readonly signal: NodeJS.Signals;

  constructor(path: string, signal: NodeJS.Signals) {
    super("io_error", `${path} was not written: ${signal}`);
    this.signal = signal;
  }
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Writes a file through `fill`. Bytes go to a temporary name beside `path`, which is renamed once they are on the
 * disk, and removed if anything fails: an older file at `path` stays until then. A signal fails the next write; a second
 * one ends the process at once, as usual.
 * @returns what `fill` returned
 * @throws NibbleError `io_error`, also where the folder is missing; InterruptedError; what `fill` rejects with
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
  /** Signals are delivered between turns of the event loop: a turn for each write. */
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

/** `write` may take fewer bytes than it was given. */
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
