/**
 * What an evaluation was made with, `run.json` in its folder: only samples of the same run are put together.
 * @module
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { TaskRun } from "../../eval/evaluate.ts";
import { ifThereSync } from "../../hosts/node/io.ts";
import { type Lock, lock } from "../../hosts/node/lock.ts";
import { writeText } from "./output.ts";
import type { RunFolders } from "./run-task.ts";

/** Milliseconds to wait for another process that is just leaving the folder. */
const LOCK_MS = 1000;

/** What decides about the samples of a run. */
export type RunSettings = Readonly<Record<string, unknown>>;

/** The hash of all that a task's prompts and scores are made of: its definition and its data. */
export function taskHash({ task, rows, prompts: { pool } }: TaskRun): string {
  const hash = createHash("sha256").update(JSON.stringify(task));
  for (const row of [...rows, null, ...pool]) hash.update(`\n${JSON.stringify(row)}`);
  return hash.digest("hex");
}

/**
 * Makes the folder of a run and writes its settings down, or compares them with those of the run that it goes on with. The
 * folders whose samples are merged must be of the same run.
 * @returns the lock of the folder, so that no other process writes there; undefined without a folder
 * @throws NibbleError `io_error` for a folder that cannot be written, that another process writes to, or that holds another
 * run; `missing_file` for a folder to merge that holds none
 */
export async function openFolders({ out, merge }: RunFolders, settings: RunSettings): Promise<Lock | undefined> {
  for (const folder of merge) {
    const theirs = readSettings(folder);
    if (!theirs) throw new NibbleError("missing_file", `${folder}: there is no run.json, as nibble eval -o leaves it`);
    checkSame(folder, theirs, settings);
  }
  if (out === undefined) return undefined;
  try {
    mkdirSync(out, { recursive: true });
  } catch (cause) {
    throw new NibbleError("io_error", `${out}: the folder cannot be made: ${(cause as Error).message}`, { cause });
  }
  const held = await lock(join(out, "run.lock"), undefined, LOCK_MS);
  try {
    const theirs = readSettings(out);
    if (theirs) checkSame(out, theirs, settings);
    else await writeText(join(out, "run.json"), textOf(settings));
    return held;
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** @throws NibbleError `io_error` where `theirs`, the settings in the folder, are others than ours */
function checkSame(folder: string, theirs: RunSettings, settings: RunSettings): void {
  const ours = JSON.parse(textOf(settings)) as RunSettings;
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const other = keys.find((key) => JSON.stringify(ours[key]) !== JSON.stringify(theirs[key]));
  if (other === undefined) return;
  const show = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  throw new NibbleError(
    "io_error",
    `${folder}: it holds a run with other settings (run.json): ${other} is ${show(theirs[other])} there and ${show(ours[other])} here`,
  );
}

/** The settings of the run in a folder; undefined where there is none. */
function readSettings(folder: string): RunSettings | undefined {
  const path = join(folder, "run.json");
  const text = ifThereSync(path, () => readFileSync(path, "utf8"));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as RunSettings;
  } catch (cause) {
    throw new NibbleError("bad_json", `${path}: ${(cause as Error).message}`, { cause });
  }
}

const textOf = (settings: RunSettings): string => `${JSON.stringify(settings, null, 2)}\n`;
