/**
 * Results of tasks in the shape of lm-eval's `results.json`.
 * @module
 */
import { type Mean, meanOf } from "./metrics.ts";
import type { Scored } from "./samples.ts";

export type TaskResults = Readonly<Record<string, number | string | null>>;

/** Means of a task's metrics, under the names `<metric>,<filter>` and `<metric>_stderr,<filter>`. */
export function taskResults(name: string, samples: readonly Scored[]): TaskResults {
  const results: Record<string, number | string | null> = { alias: name };
  for (const filter of new Set(samples.map((sample) => sample.filter))) {
    const own = samples.filter((sample) => sample.filter === filter);
    for (const metric of Object.keys(own[0]!.metrics)) {
      const mean = meanOf(own.map(({ metrics }) => metrics[metric]!));
      Object.assign(results, entries(metric, filter, mean));
    }
  }
  return results;
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
  const shared = first!.filter((key) => /^\w+,/.test(key) && !key.includes("_stderr,"));
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
