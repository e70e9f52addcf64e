/**
 * What a run leaves: every sample as JSON, a table as Markdown, a chart as SVG.
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./chart.ts";
import { againstOurselves, againstPeers } from "./compare.ts";
import type { LoadResult, Size, StartResult } from "./footprint.ts";
import type { KernelResult } from "./kernels.ts";
import type { Limits } from "./limits.ts";
import { type Machine, machineSlug } from "./machine.ts";
import type { Row } from "./models.ts";
import { report } from "./report.ts";

export interface Results {
  readonly machine: Machine;
  readonly loadAfter: number;
  /** What reproduces the run. */
  readonly command: string;
  readonly title: string;
  /** Of a number of threads: every measurement, in the order of the run. */
  readonly limits: ReadonlyMap<number, readonly Limits[]>;
  readonly sizes: readonly Size[];
  readonly start?: StartResult;
  readonly load: readonly LoadResult[];
  readonly rows: readonly Row[];
  readonly kernels: readonly KernelResult[];
  /** What each engine says of itself. */
  readonly about: ReadonlyMap<string, string>;
  /** What could not be measured, and why. */
  readonly gaps: readonly string[];
}

/** `2026-11-25-xeon-140m-q4_0`: date, machine, model and type. */
export function resultsName({ date, cpu }: Pick<Machine, "date" | "cpu">, model: string, quick: boolean): string {
  const slug = model.toLowerCase().replace(/[^a-z0-9_.]+/g, "-");
  return `${date.slice(0, 10)}-${machineSlug(cpu)}-${slug}${quick ? "-quick" : ""}`;
}

/** Maps become objects; the ratios that the table shows are in it, too. */
export function resultsJson(results: Results): string {
  const { limits, about, rows, ...rest } = results;
  const comparisons = { peers: againstPeers(rows), ourselves: againstOurselves(rows) };
  const objects = { limits: Object.fromEntries(limits), about: Object.fromEntries(about) };
  return `${JSON.stringify({ ...rest, ...objects, models: rows, comparisons }, null, 1)}\n`;
}

/** Writes the files; those of the same name are replaced. The chart only where models ran. */
export function writeResults(folder: string, name: string, results: Results): string[] {
  const files = new Map([
    [`${name}.json`, resultsJson(results)],
    [`${name}.md`, report(results)],
    ...(results.rows.length > 0 ? ([[`${name}.svg`, chart(results)]] as const) : []),
  ]);
  mkdirSync(folder, { recursive: true });
  return [...files].map(([file, text]) => {
    const path = join(folder, file);
    writeFileSync(path, text);
    return path;
  });
}
