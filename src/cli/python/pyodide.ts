/**
 * Finds Pyodide, which users install beside this package.
 * @module
 */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { NibbleError } from "../../base/errors.ts";

/** The folder of Pyodide: that of this package's installation, or of the current project. */
export function findPyodide(): string {
  for (const from of [import.meta.url, join(process.cwd(), "package.json")])
    try {
      return dirname(realpathSync(createRequire(from).resolve("pyodide/package.json")));
    } catch {
      // The next place, or the error below.
    }
  throw new NibbleError(
    "missing_file",
    "--run-code: programs run by Python in WebAssembly, which is the package pyodide; install it beside nibble-llm: npm install pyodide@314",
  );
}
