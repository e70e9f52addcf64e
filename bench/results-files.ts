/**
 * Writes the files of a run: every sample as JSON, tables as Markdown, a chart as SVG.
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./chart.ts";
import { againstOurselves, againstPeers } from "./compare.ts";
import { goalsOf } from "./goals.ts";
import { type Machine, machineSlug } from "./machine.ts";
import { report } from "./report.ts";
import type { Results } from "./results.ts";

/** `2026-11-25-xeon-140m-q4_0`: date, machine, model and type. */
export function resultsName({ date, cpu }: Pick<Machine, "date" | "cpu">, model: string, quick: boolean): string {
  const slug = model.toLowerCase().replace(/[^a-z0-9_.]+/g, "-");
  return `${date.slice(0, 10)}-${machineSlug(cpu)}-${slug}${quick ? "-quick" : ""}`;
}

/** The results as JSON: maps become objects, and the ratios of the tables are added. */
export function resultsJson(results: Results): string {
  const { limits, about, rows, ...rest } = results;
  const comparisons = { peers: againstPeers(rows), ourselves: againstOurselves(rows) };
  const goals = goalsOf(rows);
  const objects = { limits: Object.fromEntries(limits), about: Object.fromEntries(about) };
  return `${JSON.stringify({ ...rest, ...objects, models: rows, comparisons, goals }, null, 1)}\n`;
}

/**
 * Writes the files and returns their paths. Files of the same name are replaced; there is a chart only if models ran.
 */
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
