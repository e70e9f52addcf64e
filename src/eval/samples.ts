/**
 * Results of single rows, as lines of lm-eval's `samples_<task>.jsonl`.
 * @module
 */
import type { Metric, Row } from "./task.ts";

/** One row under one filter. */
export interface Sample {
  /** The row's index in its data. */
  readonly id: number;
  readonly row: Row;
  /** What the task's `doc_to_target` makes of the row. */
  readonly target: string;
  /** The index of the right choice, where there are choices. lm-eval has no such field. */
  readonly gold?: number;
  /** A context with its continuation, or with the settings of its generation, for each request of the row. */
  readonly requests: readonly (readonly [context: string, more: unknown])[];
  /** What the model answered to each request, which may be several times. */
  readonly resps: readonly (readonly unknown[])[];
  readonly filter: string;
  /** What the filter made of the answers. */
  readonly answers: readonly unknown[];
  readonly metrics: Readonly<Partial<Record<Metric | "undecided", number>>>;
}

/** The line of a sample. As in lm-eval, answers are texts. */
export function sampleLine({ id, row, target, gold, requests, resps, filter, answers, metrics }: Sample): string {
  const args = requests.map(([arg_0, arg_1], i) => [`gen_args_${i}`, { arg_0, arg_1 }]);
  return JSON.stringify({
    doc_id: id,
    doc: row,
    target,
    gold,
    arguments: Object.fromEntries(args),
    resps: asTexts(resps),
    filtered_resps: asTexts(answers),
    filter,
    metrics: Object.keys(metrics),
    ...metrics,
  });
}

/** As Python's `str` writes them. */
function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  return typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

/** What results are made of: the part of a line that counts. */
export interface Scored {
  readonly id: number;
  readonly filter: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Answers that were judged, where they were generated (default 1). */
  readonly answers?: number;
}

export function scoredOf({ id, filter, metrics, answers }: Sample): Scored {
  return { id, filter, metrics: metrics as Readonly<Record<string, number>>, answers: answers.length };
}

/** Reads a line of `sampleLine`. Returns undefined for a line that was cut off. */
export function readScored(line: string): Scored | undefined {
  try {
    const { doc_id: id, filter, metrics, filtered_resps, ...rest } = JSON.parse(line) as Record<string, unknown>;
    if (typeof id !== "number" || typeof filter !== "string" || !Array.isArray(metrics)) return undefined;
    const names = metrics.filter((name): name is string => typeof name === "string");
    const answers = Array.isArray(filtered_resps) ? filtered_resps.length : 1;
    return { id, filter, metrics: Object.fromEntries(names.map((name) => [name, Number(rest[name])])), answers };
  } catch {
    return undefined;
  }
}

/** The lines of rows, by the index of the row, in the order of the rows: rows come as they end. */
export function linesInOrder<Line>(rows: ReadonlyMap<number, readonly Line[]>): Line[] {
  return [...rows].sort(([a], [b]) => a - b).flatMap(([, lines]) => lines);
}
