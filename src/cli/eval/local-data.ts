/**
 * The files of a split below a folder of the user: `<task>.jsonl` and `<task>.train.jsonl`, or as the hub lays out a data
 * set, in the folder itself, in `owner/name`, `name` or `<task>` below it, or in a cache of Hugging Face's library.
 * @module
 */
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import { TASKS } from "../../eval/registry.ts";
import type { Task } from "../../eval/task.ts";
import { ifThereSync } from "../../hosts/node/io.ts";
import { dataFiles, splitFiles } from "../../hub/split-files.ts";

export interface Wanted {
  readonly task: Task;
  readonly split: string;
  /** Whether the split is that of the examples. */
  readonly isPool: boolean;
}

const MAX_DEPTH = 5;
const MAX_FILES = 20_000;

/**
 * The paths of a split's files, in the order of their rows.
 * @param data a folder; any other path is the file with the rows, beside which there are no examples
 * @throws NibbleError `missing_file` that says which names were looked for
 */
export function findLocal(wanted: Wanted, data: string): readonly string[] {
  if (!statSync(data, { throwIfNoEntry: false })?.isDirectory()) return wanted.isPool ? [] : [data];
  const top = dataFiles(list(data, "", { depth: 0 }));
  const named = byTask(wanted, top);
  if (named !== undefined) return [join(data, named)];
  const { dataset_path: repository, dataset_name: config } = wanted.task;
  for (const { root, isOwn } of rootsOf(wanted.task, data)) {
    const files = isOwn ? list(join(data, root), "") : [...top, ...foldersOf(wanted).flatMap((one) => list(data, one))];
    const found = splitFiles(files, { config, split: wanted.split }, join(data, root), isOwn);
    if (found.length > 0) return found.map(({ path }) => join(data, root, path));
  }
  const { task: own, data_name: name = own } = wanted.task;
  const layout = repository === "" ? "" : `, or the files of ${describe(wanted)} as the hub has them`;
  throw new NibbleError(
    "missing_file",
    `${data}: expected ${name}${wanted.isPool ? ".train" : ""}.jsonl${layout}, got ${
      top
        .map(({ path }) => path)
        .slice(0, 20)
        .join(", ") || "no file with rows"
    }`,
  );
}

/** The split of a task's data set, for people. */
export function describe({ task: { dataset_path, dataset_name }, split }: Wanted): string {
  return `the split ${split} of ${dataset_path}${dataset_name === undefined ? "" : ` (${dataset_name})`}`;
}

/** The names that a task's local files may have, without their ending. */
function namesOf({ task, data_name = task }: Task): readonly string[] {
  return [...new Set([task, data_name])];
}

/** `<task>.jsonl`, or the same with another ending, in any case: HumanEval comes as `HumanEval.jsonl.gz`. */
function byTask({ task, split, isPool }: Wanted, files: readonly { path: string }[]): string | undefined {
  const ends = isPool ? [".train", `.${split}`] : ["", `.${split}`];
  const stems = namesOf(task).flatMap((name) => ends.map((end) => `${name}${end}`.toLowerCase()));
  const stemOf = (path: string): string => path.toLowerCase().replace(/\.(?:parquet|jsonl|json)(?:\.gz)?$/, "");
  return stems.map((stem) => files.find(({ path }) => stemOf(path) === stem)?.path).find((path) => path !== undefined);
}

/** Where below a folder a data set may lie, with `/` at the end; `isOwn` where nothing else lies there. */
function rootsOf(task: Task, data: string): readonly { root: string; isOwn: boolean }[] {
  const { dataset_path: repository, dataset_name: config } = task;
  const name = repository.split("/").pop()!;
  const cached = `datasets--${repository.replace("/", "--")}`;
  const own = [repository, name, ...namesOf(task)].filter((one) => one !== "");
  const here = basename(resolve(data)).toLowerCase();
  const isOwn = [name, cached, config, ...namesOf(task)].some((one) => one?.toLowerCase() === here);
  const isOther = !isOwn && configsOf(repository).some((other) => other?.toLowerCase() === here);
  return [
    ...[...own, ...snapshots(data, cached)].map((root) => ({ root: `${root}/`, isOwn: true })),
    ...(isOther ? [] : [{ root: "", isOwn }]),
  ];
}

/** The configurations of a data set that tasks use: the folder of one does not hold another. */
function configsOf(repository: string): (string | undefined)[] {
  return [...TASKS.values()].filter((task) => task.dataset_path === repository).map((task) => task.dataset_name);
}

/** The newest download of a data set in a cache of Hugging Face's library. */
function snapshots(data: string, cached: string): string[] {
  const path = join(data, cached, "refs", "main");
  const revision = ifThereSync(path, () => readFileSync(path, "utf8"));
  return revision === undefined ? [] : [`${cached}/snapshots/${revision.trim()}`];
}

/** The folders of a split in a folder that may hold other things too. */
function foldersOf({ task: { dataset_name }, split }: Wanted): readonly string[] {
  return [...new Set([dataset_name ?? "default", "default", "data", split])];
}

/** What a link leads to; undefined where it leads nowhere or in a circle: the folder may be anybody's. @throws NibbleError `io_error` */
function behindLink(path: string): Stats | undefined {
  return ifThereSync(path, () => {
    try {
      return statSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
    }
  });
}

/** All files below a folder, without those in folders that begin with a dot; none where there is no such folder. */
function list(data: string, folder: string, { depth } = { depth: MAX_DEPTH }): { path: string }[] {
  const found: { path: string }[] = [];
  const top = join(data, folder);
  if (!ifThereSync(top, () => statSync(top))?.isDirectory()) return found;
  for (const entry of readdirSync(join(data, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const stats = entry.isSymbolicLink() ? behindLink(join(data, path)) : entry;
    if (stats?.isFile()) found.push({ path });
    else if (stats?.isDirectory() && depth > 0 && !entry.name.startsWith("."))
      found.push(...list(data, path, { depth: depth - 1 }));
    if (found.length > MAX_FILES)
      throw new NibbleError("limit_exceeded", `${data}: expected a folder with data, got more than ${MAX_FILES} files`);
  }
  return found;
}
