/**
 * The runs of a task: one, or one per subtask.
 * @module
 */
import type { TaskRun } from "./evaluate.ts";
import { withFields } from "./field-aliases.ts";
import { DOC_PROCESSES } from "./process-docs.ts";
import type { Chat } from "./prompts.ts";
import type { Row, Task } from "./task.ts";

export interface TaskData {
  readonly rows: readonly Row[];
  /** The rows from which examples are taken; empty if there are none. */
  readonly pool: readonly Row[];
}

/** A run with the name of the task that it is a part of. */
export interface NamedRun extends TaskRun {
  readonly of: string;
}

interface RunOptions extends TaskData {
  /** Examples per prompt; undefined: as many as the task has by default. */
  readonly shots: number | undefined;
  readonly chat: Chat | undefined;
}

/** The subtasks of a task, in the order of their names, each with the examples of its own. */
export function runsOf(task: Task, { shots = task.num_fewshot ?? 0, chat, ...data }: RunOptions): NamedRun[] {
  const { rows, pool, poolRows } = processed(task, data);
  const { task: name, subtask_field: field } = task;
  if (field === undefined) return [{ name, of: name, task, rows, prompts: { shots, pool, poolRows, chat } }];
  const of = (row: Row): string => String(row[field]);
  return [...new Set(rows.map(of))].sort().map((subject) => ({
    name: `${name}_${subject.replace(/[^\w-]/g, "_")}`,
    of: name,
    task,
    rows: rows.filter((row) => of(row) === subject),
    prompts: {
      shots,
      pool: pool.filter((row) => of(row) === subject),
      poolRows: poolRows?.filter((row) => of(row) === subject),
      chat,
    },
  }));
}

/**
 * The rows as the prompts take them, and those of the pool as examples; also as questions, where a row must not be its own
 * example.
 * @throws NibbleError `bad_value` for a row that lacks what the task takes from it
 */
function processed(
  { process_docs: name, fewshot_excludes_row: excludes, field_aliases: aliases }: Task,
  { rows, pool }: TaskData,
): TaskData & { readonly poolRows: readonly Row[] | undefined } {
  const same = (row: Row): Row => row;
  const { row, shot } = name === undefined ? { row: same, shot: same } : DOC_PROCESSES[name];
  const made = (rows: readonly Row[], make: (row: Row) => Row) => rows.map((one) => make(withFields(one, aliases)));
  return {
    rows: made(rows, row),
    pool: made(pool, shot),
    poolRows: (excludes ?? pool === rows) ? made(pool, row) : undefined,
  };
}
