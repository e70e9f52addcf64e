/**
 * Checks the files that commands write: never over an input, and over an older file only with `--force`.
 * @module
 */
import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { NibbleError } from "../base/errors.ts";
import { type Flag, toggle } from "./flags.ts";
import { modelFiles } from "./model.ts";

export const forceFlag: Flag<boolean> = toggle("--force", "overwrite a file that exists");

/**
 * Refuses an output whose folder does not exist, that is part of an input, or that exists (unless `force`).
 * @param inputs the models or files that are read
 * @throws NibbleError `io_error`
 */
export function checkOutput(out: string, force: boolean | undefined, inputs: readonly string[]): void {
  if (out === "") throw new NibbleError("io_error", "the name of the file to write is empty");
  const folder = dirname(out);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new NibbleError("io_error", `${out}: its folder ${folder} does not exist`);
  const old = statSync(out, { throwIfNoEntry: false });
  if (old === undefined) return;
  const same = inputs.flatMap(modelFiles).find((path) => {
    const input = statSync(path, { throwIfNoEntry: false });
    return input !== undefined && input.dev === old.dev && input.ino === old.ino;
  });
  if (same !== undefined) throw new NibbleError("io_error", `${out}: it is an input, and cannot be the output too`);
  if (!old.isFile()) throw new NibbleError("io_error", `${out}: expected a regular file to write, got ${kindOf(old)}`);
  if (!force) throw new NibbleError("io_error", `${out}: the file exists; --force overwrites it`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
