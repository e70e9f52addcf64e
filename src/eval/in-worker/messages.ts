/**
 * What a page asks of the worker that evaluates its model, and what it gets.
 * @module
 */
import type { Report } from "../results.ts";

export interface EvalRequest {
  /** The name of a task of `listTasks`. */
  readonly task: string;
  /** JSON or JSONL with the rows; one with `.train.` in its name, or the task's own split, holds examples. */
  readonly files: readonly File[];
  /** Most rows of each run. */
  readonly limit: number;
}

export interface EvalProgress {
  readonly type: "progress";
  /** Rows that are done, and all. */
  readonly done: number;
  readonly total: number;
  /** The sum of their scores, each between 0 and 1. */
  readonly right: number;
}

export interface EvalResult {
  readonly type: "result";
  /** Rows that were done; fewer than asked for if it was stopped. */
  readonly rows: number;
  readonly report: Report;
  /** The sections of the report as HTML, in which every text of rows is escaped, for an element of the class `report`. */
  readonly sections: string;
  /** The rules of CSS for them. */
  readonly style: string;
  /** The files that `nibble eval -o` writes, by name. */
  readonly files: readonly (readonly [name: string, content: Blob])[];
  /** Examples per prompt. */
  readonly shots: number;
}

export type EvalEvent = EvalProgress | EvalResult;
