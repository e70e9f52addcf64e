/**
 * The table of an evaluation for people.
 * @module
 */
import type { Report } from "../../eval/results.ts";

/** A line per result: task, metric, filter, mean and standard error. */
export function table({ results, "n-shot": shots, "n-samples": samples }: Report): string {
  const head = ["task", "rows", "shots", "metric", "filter", "value", "error"];
  const lines = Object.entries(results).flatMap(([name, values]) =>
    Object.keys(values)
      .filter((key) => key.includes(",") && !key.includes("_stderr,"))
      .map((key) => {
        const [metric, filter] = key.split(",") as [string, string];
        const error = values[`${metric}_stderr,${filter}`];
        const facts = [String(samples[name]?.effective ?? ""), String(shots[name] ?? ""), metric, filter];
        return [name, ...facts, show(values[key]!), typeof error === "number" ? show(error) : ""];
      }),
  );
  const rows = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return `${rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

function show(value: number | string | null): string {
  return typeof value === "number" ? value.toFixed(4) : String(value);
}
