/**
 * The rows of tasks: from files that the user names, or from the task's data set on the hub.
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NibbleError } from "../../base/errors.ts";
import { valueIn } from "../../eval/field-aliases.ts";
import type { TaskData } from "../../eval/runs.ts";
import type { Row, Task } from "../../eval/task.ts";
import { fieldsOf } from "../../eval/template.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { ifThereSync } from "../../hosts/node/io.ts";
import { dataSetName, dataSetReference } from "../../hub/data-set.ts";
import { findModel } from "../../hub/hub.ts";
import { missing } from "../flags.ts";
import { pullWithProgress } from "../model.ts";
import { note } from "../output.ts";
import { readDataFile } from "./data-file.ts";
import { describe, findLocal, type Wanted } from "./local-data.ts";

/** The task whose data is inside the package. */
const OWN_TASK = "crumb-problems";
const OWN_PROBLEMS: string = fileURLToPath(new URL("./crumb-problems.jsonl", import.meta.url));

interface DataOptions {
  /** A file with the rows, or a folder. Undefined: the data set is fetched, unless it is in the cache. */
  readonly data: string | undefined;
  /** Examples per prompt; undefined: as many as the task has. Without examples their split is not read. */
  readonly shots: number | undefined;
  /** The examples, where they do not come from the data. */
  readonly pool: readonly Row[] | undefined;
}

/**
 * Reads the rows of a task, and those from which its examples are taken.
 * @throws NibbleError `missing_file` with what to put where; `bad_value` for rows without a field that the task reads; as
 *   `readDataFile` and `pull`
 */
export async function readData(task: Task, options: DataOptions): Promise<TaskData> {
  const { data, shots = task.num_fewshot ?? 0, pool } = options;
  const { test_split, fewshot_split = "train" } = task;
  const read = async (split: string): Promise<readonly Row[]> => {
    const wanted: Wanted = { task, split, isPool: split !== test_split };
    if (data !== undefined)
      return readAll(task.task === OWN_TASK ? ownProblems(wanted, data) : findLocal(wanted, data));
    return task.task === OWN_TASK ? readDataFile(OWN_PROBLEMS) : fromHub(wanted);
  };
  const rows = await read(test_split);
  checkFields(task, rows[0]!);
  if (pool || shots === 0) return { rows, pool: pool ?? [] };
  return { rows, pool: fewshot_split === test_split ? rows : await read(fewshot_split).catch(hint(task)) };
}

/** crumb's problems from the user's data; those of the package where a folder holds only the data of other tasks. */
function ownProblems(wanted: Wanted, data: string): readonly string[] {
  try {
    return findLocal(wanted, data);
  } catch (error) {
    const isFolder = statSync(data, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (isFolder && error instanceof NibbleError && error.code === "missing_file") return [OWN_PROBLEMS];
    throw error;
  }
}

/** Says where examples of a task also come from, if its data has none. */
function hint({ fewshot_file }: Task): (error: unknown) => never {
  return (error) => {
    const known = error instanceof NibbleError && error.code === "missing_file" && fewshot_file !== undefined;
    if (!known) throw error;
    throw new NibbleError(error.code, `${error.message}; --fewshot-from takes the examples of an installed lm-eval`);
  };
}

async function readAll(paths: readonly string[]): Promise<readonly Row[]> {
  const parts: (readonly Row[])[] = [];
  for (const path of paths) parts.push(withLabels(await readDataFile(path), path));
  return parts.flat();
}

/** PIQA and Social IQa come as `dev.jsonl` without labels, which are the lines of `dev-labels.lst` beside it. */
function withLabels(rows: readonly Row[], path: string): readonly Row[] {
  const beside = path.replace(/(?:\.jsonl?)?(?:\.gz)?$/, "-labels.lst");
  if ("label" in rows[0]!) return rows;
  const text = ifThereSync(beside, () => readFileSync(beside, "utf8"));
  if (text === undefined) return rows;
  const labels = text.trim().split(/\s*\n/);
  if (labels.length === rows.length) return rows.map((row, i) => ({ ...row, label: labels[i] }));
  throw new NibbleError(
    "bad_value",
    `${beside}: expected ${rows.length} lines, one for each row of ${path}, got ${labels.length}`,
  );
}

/** Reads a split from the cache, and fetches it if it is not there. */
async function fromHub(wanted: Wanted): Promise<readonly Row[]> {
  const { dataset_path: repository, dataset_name: config } = wanted.task;
  const name = dataSetName(repository, { config, split: wanted.split });
  const isName = /^[\w.-]+(?:\/[\w.-]+)?$/.test(repository);
  if (!isName) throw missing("--data", advice(wanted));
  const reference = dataSetReference(name);
  const { cache, settings } = await nodeHub();
  let record = await findModel(reference, cache);
  if (!record && settings.offline)
    throw new NibbleError(
      "missing_file",
      `${name} is not in the cache, and nothing is fetched while offline; give by --data ${advice(wanted)}`,
    );
  if (!record) {
    note(`nibble: ${name} is not in the cache yet; fetching it`);
    record = await pullWithProgress(reference, cache, settings).catch((error) => {
      if (!(error instanceof NibbleError) || error.code !== "io_error") throw error;
      throw new NibbleError("io_error", `${error.message}; without a network, give by --data ${advice(wanted)}`);
    });
  }
  const parts: (readonly Row[])[] = [];
  for (const { name: file, sha256 } of record.files)
    parts.push(await readDataFile(cache.locate(sha256)!, `${name}, ${file}`));
  return parts.flat();
}

/** What the user can put where. */
function advice({ task, split, isPool }: Wanted): string {
  const { task: own, data_name: name = own, num_fewshot = 0, fewshot_split = "train" } = task;
  const file = isPool ? `${name}.train.jsonl` : `${name}.jsonl`;
  const set = describe({ task, split, isPool });
  const examples =
    isPool || num_fewshot === 0 ? "" : `, and with ${name}.train.jsonl, its split ${fewshot_split}, for examples`;
  return `a folder with ${file}, ${set}: JSON Lines or Parquet with the fields ${fieldsOf(task).join(", ")}${examples}`;
}

/** @throws NibbleError `bad_value` for a row without a field that the task's templates read */
function checkFields(task: Task, row: Row): void {
  const fields = fieldsOf(task);
  if (fields.every((field) => valueIn(row, field, task.field_aliases) !== undefined)) return;
  const there = Object.keys(row).slice(0, 30).join(", ");
  throw new NibbleError("bad_value", `${task.task}: expected rows with the fields ${fields.join(", ")}, got ${there}`);
}
