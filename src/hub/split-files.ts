/**
 * Which files of a data set make up one split. A folder of the hub says so by names alone
 * (https://huggingface.co/docs/hub/datasets-file-names-and-splits).
 * @module
 */
import { NibbleError } from "../base/errors.ts";

export interface Split {
  /** The configuration (subset), such as `ARC-Easy`; undefined where the data set has only one. */
  readonly config: string | undefined;
  /** Such as `test`. */
  readonly split: string;
}

interface Named {
  /** The path below the data set's folder, with `/`. */
  readonly path: string;
}

const FORMATS = [/\.parquet$/i, /\.jsonl(?:\.gz)?$/i, /\.json(?:\.gz)?$/i];
const DESCRIPTIONS = /(?:^|\/)(?:\.|dataset_\w+\.json$|state\.json$)/i;

/** Other names of a split, where a folder has none of its own name. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  train: ["training"],
  validation: ["valid", "val", "dev"],
  test: ["testing", "eval", "evaluation"],
};

/** The files with rows: Parquet, JSONL or JSON. */
export function dataFiles<T extends Named>(files: readonly T[]): readonly T[] {
  return files.filter(({ path }) => FORMATS.some((format) => format.test(path)) && !DESCRIPTIONS.test(path));
}

/**
 * The files of a split, in the order of their rows; none if there is no such split.
 * @param name the data set, for errors
 * @param isOwn whether all files belong to the data set; else only names that begin with the split's count
 * @throws NibbleError `missing_file` where only a part of the split is there, or where two folders have it
 */
export function splitFiles<T extends Named>(
  files: readonly T[],
  wanted: Split,
  name: string,
  isOwn = true,
): readonly T[] {
  const data = dataFiles(files);
  const named = filesNamed(ofConfig(data, wanted.config), wanted.split, isOwn);
  const format = FORMATS.find((one) => named.some(({ path }) => one.test(path)));
  const chosen = named
    .filter(({ path }) => format?.test(path))
    .sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
  const folders = [...new Set(chosen.map(({ path }) => path.split("/").slice(0, -1).join("/")))];
  if (folders.length > 1)
    throw new NibbleError(
      "missing_file",
      `${name}: expected one folder with the split ${wanted.split}, got ${folders.join(", ")}; the task's dataset_name chooses one`,
    );
  checkComplete(chosen, name);
  return chosen;
}

/** The files of a configuration: those in its folder, or named after it, else those of a folder without configurations. */
function ofConfig<T extends Named>(files: readonly T[], config: string | undefined): readonly T[] {
  const own = (config ?? "default").toLowerCase();
  const inFolder = files.filter(({ path }) => path.toLowerCase().split("/").slice(0, -1).includes(own));
  if (inFolder.length > 0) return inFolder;
  if (config === undefined || own === "default") return files;
  const begun = new RegExp(`(?:^|/)${escaped(own)}[-._][^/]*$`, "i");
  const byName = files.filter(({ path }) => begun.test(path));
  return byName.length > 0 ? byName : files.filter(({ path }) => /^(?:data\/)?[^/]+$/.test(path));
}

/** The files of a split by its name, which is a folder's or a part of their own. Files that carry no split's name are `train`. */
function filesNamed<T extends Named>(files: readonly T[], split: string, isOwn: boolean): readonly T[] {
  // The hub converts only the beginning of a very large split, to a folder of this name.
  const whole = files.filter(({ path }) => !/(?:^|\/)partial-[^/]+\//.test(path));
  for (const name of [split, ...(OTHER_NAMES[split] ?? [])]) {
    const word = wordOf([name]);
    const rules: ((path: string) => boolean)[] = [
      (path) => path.split("/").slice(0, -1).includes(name),
      (path) => word.exec(path.split("/").pop()!)?.index === 0,
      (path) => isOwn && word.test(path.split("/").pop()!),
      (path) => isOwn && word.test(path),
    ];
    for (const rule of rules) {
      const found = whole.filter(({ path }) => rule(path));
      if (found.length > 0) return found;
    }
  }
  const words = Object.entries(OTHER_NAMES).map(([name, others]) => wordOf([name, ...others]));
  return split === "train" && isOwn ? whole.filter(({ path }) => !words.some((word) => word.test(path))) : [];
}

/** A word of a path: `test` is in `main/test-00000-of-00001.parquet` and `test2.jsonl`, not in `latest.jsonl`. */
function wordOf(names: readonly string[]): RegExp {
  return new RegExp(`(?:^|[^a-z])(?:${names.map(escaped).join("|")})(?![a-z])`, "i");
}

function escaped(text: string): string {
  return text.replace(/[^\w-]/g, "\\$&");
}

/** @throws NibbleError `missing_file` for `test-00000-of-00002.parquet` without its sibling */
function checkComplete(files: readonly Named[], name: string): void {
  const shards = files.map(({ path }) => /-(\d{5})-of-(\d{5})\.\w+(?:\.gz)?$/.exec(path));
  const count = Number(shards[0]?.[2] ?? files.length);
  if (shards[0] && files.length !== count)
    throw new NibbleError(
      "missing_file",
      `${name}: expected ${count} files like ${files[0]!.path}, got ${files.length}; the rows of the others would be missing`,
    );
}
