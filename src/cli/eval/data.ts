/**
 * The rows of tasks from local files.
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NibbleError } from "../../base/errors.ts";
import { parseRows } from "../../eval/rows.ts";
import type { TaskData } from "../../eval/runs.ts";
import type { Row, Task } from "../../eval/task.ts";
import { missing } from "../flags.ts";
import { readText } from "../input.ts";

/** The task whose data is inside the package. */
const OWN_TASK = "crumb-problems";
const OWN_PROBLEMS: string = fileURLToPath(new URL("./crumb-problems.jsonl", import.meta.url));

/**
 * Reads the rows of a task: those of a file, or of `<task>.jsonl` in a folder, with the examples in `<task>.train.jsonl`
 * (or the name of the task's own split).
 * @throws NibbleError `missing_file`, `bad_json`, `bad_value`
 */
export async function readData(task: Task, data: string | undefined): Promise<TaskData> {
  const { task: own, data_name: name = own, dataset_path, dataset_name, test_split, fewshot_split = "train" } = task;
  const set = `${dataset_path}${dataset_name === undefined ? "" : ` (${dataset_name})`}`;
  if (data === undefined && name === OWN_TASK) return { rows: await readRows(OWN_PROBLEMS), pool: [] };
  if (data === undefined)
    throw missing(
      "--data",
      `a folder with ${name}.jsonl, the split ${test_split} of the data set ${set}, one JSON object per line; examples are taken from ${name}.train.jsonl, its split ${fewshot_split}`,
    );
  if (!statSync(data, { throwIfNoEntry: false })?.isDirectory()) return { rows: await readRows(data), pool: [] };
  const find = (names: readonly string[]): string | undefined =>
    names.map((one) => join(data, one)).find((path) => existsSync(path));
  const file = find([`${name}.jsonl`, `${name}.json`]);
  if (file === undefined)
    throw new NibbleError("missing_file", `${data}: expected ${name}.jsonl, the split ${test_split} of ${set}`);
  const examples = find([`${name}.train.jsonl`, `${name}.${fewshot_split}.jsonl`]);
  return { rows: await readRows(file), pool: examples === undefined ? [] : await readRows(examples) };
}

const readRows = async (path: string): Promise<readonly Row[]> => parseRows(await readText(path), path);
