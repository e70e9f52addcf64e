/**
 * Tasks whose answers are programs: when they may run, and which rows by date.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { CodeRunner } from "../../eval/code/runner.ts";
import type { Row, Task } from "../../eval/task.ts";
import { type Flag, requires, toggle, UsageError, type Values } from "../flags.ts";

/** A day as `2025-01-31`. */
function day(name: string, help: string): Flag<string> {
  return {
    names: [name],
    placeholder: "DATE",
    expected: "a date such as 2025-01-31",
    help,
    read: (text) => (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined),
  };
}

export const codeFlags: {
  readonly runCode: Flag<boolean>;
  readonly startDate: Flag<string>;
  readonly endDate: Flag<string>;
} = {
  runCode: toggle(
    "--run-code",
    "run the programs that the model writes, by Python in WebAssembly in processes without permissions (needs the package pyodide)",
  ),
  startDate: day("--start-date", "only rows of this date or later, for tasks with dates such as livecodebench"),
  endDate: day("--end-date", "only rows of this date or earlier"),
};

type CodeFlags = Values<typeof codeFlags>;

/** The first task whose answers are programs. */
const withCode = (tasks: readonly Task[]): Task | undefined => tasks.find(({ code_rule }) => code_rule !== undefined);

/** @throws UsageError if one of the tasks runs programs, and that was not allowed */
export function checkRunCode(tasks: readonly Task[], { runCode }: CodeFlags): void {
  const first = withCode(tasks);
  if (first && !runCode) throw requires(first.task, "--run-code", "it runs the programs that the model writes");
}

/**
 * What runs the programs of these tasks; undefined if they have none.
 * @throws NibbleError if programs cannot be run here
 */
export async function codeRunner(tasks: readonly Task[]): Promise<(CodeRunner & { dispose(): void }) | undefined> {
  if (!withCode(tasks)) return undefined;
  const { PyodideRunner } = await import("../python/runner.ts");
  return PyodideRunner.create();
}

/**
 * The rows of a task within the dates that were asked for.
 * @throws UsageError for a task without dates; NibbleError `bad_value` for a row without one, or if no row is left
 */
export function withinDates(task: Task, rows: readonly Row[], { startDate, endDate }: CodeFlags): readonly Row[] {
  if (startDate === undefined && endDate === undefined) return rows;
  const { date_field: field } = task;
  const flag = startDate === undefined ? "--end-date" : "--start-date";
  if (field === undefined) throw new UsageError(`${flag}: the rows of ${task.task} have no date`, flag);
  const kept = rows.filter((row, i) => {
    const date = /^\d{4}-\d{2}-\d{2}/.exec(String(row[field]))?.[0];
    if (date === undefined)
      throw new NibbleError("bad_value", `${task.task}, row ${i}: expected a date in ${field}, got ${row[field]}`);
    return date >= (startDate ?? date) && date <= (endDate ?? date);
  });
  if (kept.length > 0) return kept;
  throw new NibbleError(
    "bad_value",
    `${task.task}: no row is of ${startDate ?? "the beginning"} to ${endDate ?? "the end"}`,
  );
}
