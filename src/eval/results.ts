/**
 * Results of tasks in the shape of lm-eval's `results.json`.
 * @module
 */
import { type Mean, meanOf, samplingInterval } from "./metrics.ts";
import { GROUPS } from "./registry.ts";
import type { NamedRun } from "./runs.ts";
import type { Scored } from "./samples.ts";

export type TaskResults = Readonly<Record<string, number | string | null>>;

/** Means of a task's metrics, under the names `<metric>,<filter>` and `<metric>_stderr,<filter>`. */
export function taskResults(name: string, samples: readonly Scored[]): TaskResults {
  const results: Record<string, number | string | null> = { alias: name };
  for (const filter of new Set(samples.map((sample) => sample.filter))) {
    const own = samples.filter((sample) => sample.filter === filter);
    for (const metric of Object.keys(own[0]!.metrics).filter((name) => name !== UNDECIDED)) {
      const mean = meanOf(own.map(({ metrics }) => metrics[metric]!));
      Object.assign(results, entries(metric, filter, mean));
      const shares = own.map(({ metrics, answers = 1 }) => ({ share: metrics[metric]!, answers }));
      const interval = metric === "exact_match" ? samplingInterval(shares) : undefined;
      if (interval) for (const [i, end] of INTERVAL_ENDS.entries()) results[`${metric}${end},${filter}`] = interval[i]!;
    }
    const undecided = own.reduce((sum, { metrics }) => sum + (metrics[UNDECIDED] ?? 0), 0);
    if (undecided > 0) results[`${UNDECIDED},${filter}`] = undecided;
  }
  return results;
}

/** How many answers a rule could not compare with the right one; they count as wrong. The key is there if there are some. */
const UNDECIDED = "undecided";
/** The ends of the interval of a mean of several answers to each question (`samplingInterval`). */
const INTERVAL_ENDS = ["_ci95_low", "_ci95_high"] as const;

/** Whether a key of results is a metric's mean, and not an error, an end of an interval, a count or a name. */
export function isMean(key: string): boolean {
  return key.includes(",") && !/(?:_stderr|_ci95_low|_ci95_high|^undecided),/.test(key);
}

function entries(metric: string, filter: string, { mean, stderr }: Mean): TaskResults {
  return { [`${metric},${filter}`]: mean, [`${metric}_stderr,${filter}`]: Number.isFinite(stderr) ? stderr : null };
}

/** The results of a subtask, and the number of its rows. */
export interface Part {
  readonly results: TaskResults;
  readonly size: number;
}

/**
 * The results of a group, with the means of the metrics that all of its parts have.
 * @param weighted whether a part counts by its size, as in MMLU; otherwise all count the same
 */
export function groupResults(name: string, parts: readonly Part[], weighted: boolean): TaskResults {
  const [first, ...others] = parts.map(({ results }) => Object.keys(results));
  const shared = first!.filter(isMean);
  const results: Record<string, number | string | null> = { alias: name };
  for (const key of shared.filter((key) => others.every((keys) => keys.includes(key)))) {
    const [metric, filter] = key.split(",") as [string, string];
    const values = parts.map((part) => part.results[key] as number);
    const errors = parts.map((part) => part.results[`${metric}_stderr,${filter}`] as number | null);
    const weights = parts.map(({ size }) => (weighted ? size : 1));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total;
    const stderr = errors.includes(null) ? Number.NaN : groupError(errors as number[], parts, weighted);
    Object.assign(results, entries(metric, filter, { mean, stderr }));
  }
  return results;
}

/** lm-eval's pooled error for weighted groups; that of a mean of independent means for others. */
function groupError(errors: readonly number[], parts: readonly Part[], weighted: boolean): number {
  if (!weighted) return Math.hypot(...errors) / errors.length;
  const sizes = parts.map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const variance = errors.reduce((sum, error, i) => sum + (sizes[i]! - 1) * error ** 2 * sizes[i]!, 0);
  return Math.sqrt(variance / (total - sizes.length) / total);
}

/** lm-eval's `results.json`. */
export interface Report {
  readonly results: Readonly<Record<string, TaskResults>>;
  readonly versions: Readonly<Record<string, number>>;
  readonly "n-shot": Readonly<Record<string, number>>;
  readonly "n-samples": Readonly<Record<string, { readonly original: number; readonly effective: number }>>;
}

/**
 * @param scores the samples of each run, at least one
 * @param groups names of groups whose means are reported beside their tasks
 */
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
    const own = GROUPS.get(group)!.members.map((name) => parts.get(name)!);
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
