/**
 * Results of single rows, as lines of lm-eval's `samples_<task>.jsonl`.
 * @module
 */
import { Sha256 } from "../hub/sha256.ts";
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
  /** What lm-eval's filter of this name makes of the answers. */
  readonly filtered: readonly unknown[];
  /** The answers that were found in the texts, where that is not in `filtered`. lm-eval has no such field. */
  readonly answers?: readonly string[];
  readonly metrics: Readonly<Partial<Record<Metric | "undecided", number>>>;
}

/**
 * The line of a sample, with lm-eval's fields in its order, and then ours. As in lm-eval, answers are texts. Its hashes are
 * SHA-256: of the row as JSON, of the first prompt, and of the target.
 */
export function sampleLine(sample: Sample): string {
  const { id, row, target, gold, requests, resps, filter, filtered, answers, metrics } = sample;
  const args = requests.map(([arg_0, arg_1], i) => [`gen_args_${i}`, { arg_0, arg_1 }]);
  return JSON.stringify({
    doc_id: id,
    doc: row,
    target,
    arguments: Object.fromEntries(args),
    resps: asTexts(resps),
    filtered_resps: asTexts(filtered),
    filter,
    metrics: Object.keys(metrics),
    doc_hash: hash(JSON.stringify(row, null, 2)),
    prompt_hash: hash(requests[0]![0]),
    target_hash: hash(target),
    ...metrics,
    gold,
    answers,
  });
}

function hash(text: string): string {
  const sha256 = new Sha256();
  sha256.update(new TextEncoder().encode(text));
  return sha256.hex();
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

export function scoredOf({ id, filter, metrics, resps }: Sample): Scored {
  return { id, filter, metrics: metrics as Readonly<Record<string, number>>, answers: resps[0]!.length };
}

/** Reads a line of `sampleLine`. Returns undefined for a line that was cut off. */
export function readScored(line: string): Scored | undefined {
  try {
    const { doc_id: id, filter, metrics, resps, ...rest } = JSON.parse(line) as Record<string, unknown>;
    if (typeof id !== "number" || typeof filter !== "string" || !Array.isArray(metrics)) return undefined;
    const names = metrics.filter((name): name is string => typeof name === "string");
    const answers = Array.isArray(resps) && Array.isArray(resps[0]) ? resps[0].length : 1;
    return { id, filter, metrics: Object.fromEntries(names.map((name) => [name, Number(rest[name])])), answers };
  } catch {
    return undefined;
  }
}

/** The lines of rows, by the index of the row, in the order of the rows: rows come as they end. */
export function linesInOrder<Line>(rows: ReadonlyMap<number, readonly Line[]>): Line[] {
  return [...rows].sort(([a], [b]) => a - b).flatMap(([, lines]) => lines);
}
