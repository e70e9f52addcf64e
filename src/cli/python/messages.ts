/**
 * What goes between the command and the process that runs a program: one line of JSON each.
 * @module
 */
import type { Job } from "../../eval/code/runner.ts";

/** To the process: first what to load, then what to run. */
export type Order =
  | {
      readonly type: "load";
      /** The folder of Pyodide. */
      readonly pyodide: string;
      /** The file with the memory of a loaded interpreter. Undefined: make one, and write it to stdout behind its message. */
      readonly snapshot: string | undefined;
    }
  | { readonly type: "run"; readonly job: Job }
  /** Try to get out. It is sent when everything that closes the process is in place. */
  | { readonly type: "probe" };

export type Answer =
  | { readonly type: "snapshot"; readonly bytes: number }
  | { readonly type: "loaded" }
  /** The ways out that are open; there must be none. */
  | { readonly type: "probed"; readonly open: readonly string[] }
  /** A step of the job ended: its preparation or a test. The time of the next one begins. */
  | { readonly type: "step" }
  /** The job ended. @see JobResult; `seconds` is what its last step took. */
  | { readonly type: "result"; readonly reason: string; readonly testsPassed: number };
