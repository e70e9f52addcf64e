/**
 * The report of an evaluation: lm-eval's `results.json`, and a table for people.
 * @module
 */
import { GROUPS } from "../../eval/registry.ts";
import { groupResults, type Part, type TaskResults, taskResults } from "../../eval/results.ts";
import type { Scored } from "../../eval/samples.ts";
import type { NamedRun } from "./runs.ts";

export interface Report {
  readonly results: Readonly<Record<string, TaskResults>>;
  readonly versions: Readonly<Record<string, number>>;
  readonly "n-shot": Readonly<Record<string, number>>;
  readonly "n-samples": Readonly<Record<string, { readonly original: number; readonly effective: number }>>;
}

/** @param groups names of groups whose means are reported beside their tasks */
export function reportOf(scores: ReadonlyMap<NamedRun, readonly Scored[]>, groups: readonly string[]): Report {
  const runs = [...scores.keys()];
  const parts = new Map<string, Part>();
  for (const [run, samples] of scores)
    parts.set(run.name, { results: taskResults(run.name, samples), size: new Set(samples.map(({ id }) => id)).size });
  const results = new Map<string, TaskResults>();
  for (const name of new Set(runs.map((run) => run.of))) {
    const subtasks = runs.filter((run) => run.of === name && run.name !== name);
    const own = subtasks.map((run) => parts.get(run.name)!);
    if (own.length > 0) results.set(name, groupResults(name, own, true));
    for (const run of runs.filter((one) => one.of === name)) results.set(run.name, parts.get(run.name)!.results);
  }
  for (const group of groups) {
    const own = GROUPS.get(group)!.map((name) => parts.get(name)!);
    results.set(group, groupResults(group, own, false));
  }
  const each = <T>(fact: (run: NamedRun) => T): Record<string, T> =>
    Object.fromEntries(runs.map((run) => [run.name, fact(run)]));
  return {
    results: Object.fromEntries(results),
    versions: each(({ task }) => task.version),
    "n-shot": each(({ prompts }) => prompts.shots),
    "n-samples": each((run) => ({ original: run.rows.length, effective: parts.get(run.name)!.size })),
  };
}

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
