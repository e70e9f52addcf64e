/**
 * Files that commands write: never over what they read, and over older ones only when told.
 * @module
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { NibbleError } from "../base/errors.ts";
import { type Flag, toggle } from "./flags.ts";
import { modelFiles } from "./model.ts";

export const forceFlag: Flag<boolean> = toggle("--force", "overwrite a file that exists");

/**
 * Refuses to write `out` where it exists, unless `force`, and where it is part of an input or in no folder in any case.
 * @param inputs models or files that are read
 * @throws NibbleError `io_error`
 */
export function checkOutput(out: string, force: boolean | undefined, inputs: readonly string[]): void {
  if (out === "") throw new NibbleError("io_error", "expected a file to write, got an empty name");
  const folder = dirname(out);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new NibbleError("io_error", `expected a folder that exists, got ${folder} for ${out}`);
  const old = statSync(out, { throwIfNoEntry: false });
  if (old === undefined) return;
  const same = inputs.flatMap(modelFiles).find((path) => {
    const input = statSync(path, { throwIfNoEntry: false });
    return input !== undefined && input.dev === old.dev && input.ino === old.ino;
  });
  if (same !== undefined) throw new NibbleError("io_error", `expected another file than the input, got ${out}`);
  if (old.isDirectory()) throw new NibbleError("io_error", `expected a file to write, got the folder ${out}`);
  if (!force) throw new NibbleError("io_error", `expected a new file, got ${out}, which exists; --force overwrites it`);
}
