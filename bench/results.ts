/**
 * The results of one run.
 * @module
 */
import type { LoadResult, Size, StartResult } from "./footprint.ts";
import type { KernelResult } from "./kernels.ts";
import type { Limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import type { Row } from "./models.ts";

export interface Results {
  readonly machine: Machine;
  readonly loadAfter: number;
  /** The command that reproduces the run. */
  readonly command: string;
  readonly title: string;
  /** By the names of their kinds (limit-process.ts): every measurement, in the order of the run. */
  readonly limits: ReadonlyMap<string, readonly Limits[]>;
  readonly sizes: readonly Size[];
  readonly start?: StartResult;
  readonly load: readonly LoadResult[];
  readonly rows: readonly Row[];
  readonly kernels: readonly KernelResult[];
  /** The description that each engine gives of itself, by its name. */
  readonly about: ReadonlyMap<string, string>;
  /** The parts that could not be measured, each with the reason. */
  readonly gaps: readonly string[];
}
