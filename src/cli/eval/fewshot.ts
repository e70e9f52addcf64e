/**
 * Examples that a task's authors wrote, which are not in its data: from an installed lm-eval, or from a file of rows.
 * @module
 */
import { readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { Row, Task } from "../../eval/task.ts";
import { ifThereSync } from "../../hosts/node/io.ts";
import { readText } from "../input.ts";
import { returnedLiteral } from "./python-literal.ts";

/**
 * The examples of tasks that `--fewshot-from` names; undefined for a task that takes them from its data.
 * @throws NibbleError `missing_file`, `bad_value`, `invalid_argument` if no task takes any
 */
export async function fixedExamples(
  tasks: readonly Task[],
  from: string | undefined,
): Promise<readonly (readonly Row[] | undefined)[]> {
  if (from === undefined) return tasks.map(() => undefined);
  const examples = await Promise.all(tasks.map((task) => examplesOf(task, from)));
  if (examples.every((rows) => rows === undefined))
    throw new NibbleError("invalid_argument", "--fewshot-from: none of these tasks has examples in lm-eval");
  return examples;
}

/**
 * The examples of a task.
 * @param from a file of rows; a task file of lm-eval; or the folder of lm-eval, of a Python environment or of its packages
 * @returns undefined if `from` is a folder, and the task takes its examples from its data
 * @throws NibbleError `missing_file`, `bad_value`
 */
async function examplesOf(task: Task, from: string): Promise<readonly Row[] | undefined> {
  if (!statsOf(from)?.isDirectory()) return readExamples(from);
  if (task.fewshot_file === undefined) return undefined;
  const tasks = tasksFolder(from);
  if (tasks === undefined)
    throw new NibbleError(
      "missing_file",
      `--fewshot-from: ${from} holds no lm_eval/tasks; give the folder of an installed lm-eval`,
    );
  return readExamples(join(tasks, task.fewshot_file));
}

function tasksFolder(from: string): string | undefined {
  const libraries = ["lib", "Lib"].map((name) => join(from, name)).filter((path) => statsOf(path));
  const packages = libraries.flatMap((lib) =>
    [lib, ...readdirSync(lib).map((name) => join(lib, name))].map((path) => join(path, "site-packages")),
  );
  const candidates = [from, join(from, "tasks"), ...[from, ...packages].map((path) => join(path, "lm_eval", "tasks"))];
  return candidates.find((path) => statsOf(join(path, "gsm8k")) && statsOf(join(path, "mmlu")));
}

const statsOf = (path: string): Stats | undefined => ifThereSync(path, () => statSync(path));

async function readExamples(path: string): Promise<readonly Row[]> {
  if (!statsOf(path)) throw new NibbleError("missing_file", `--fewshot-from: there is no ${path}`);
  if (/\.ya?ml$/.test(path)) return rowsOf(await readTaskFile(path), path);
  const text = await readText(path);
  try {
    const isArray = text.trimStart().startsWith("[");
    return rowsOf(
      isArray
        ? JSON.parse(text)
        : text
            .trim()
            .split(/\r?\n/)
            .map((line) => JSON.parse(line)),
      path,
    );
  } catch (cause) {
    if (cause instanceof NibbleError) throw cause;
    throw new NibbleError("bad_json", `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** `fewshot_config.samples` of a task file of lm-eval, which may be in the file that it includes, or in a Python file beside it. */
async function readTaskFile(path: string, including: readonly string[] = []): Promise<unknown> {
  if (including.includes(path)) throw new NibbleError("bad_value", `${path}: it includes itself`);
  const { fewshot_config, include } = await parseYaml(path);
  const samples = (fewshot_config as { samples?: unknown } | null | undefined)?.samples;
  if (samples === undefined && typeof include === "string")
    return readTaskFile(join(dirname(path), include), [...including, path]);
  const reference = (samples as Partial<PythonReference> | null | undefined)?.function;
  if (typeof reference !== "string") return samples;
  const [module, name] = reference.split(".") as [string, string];
  const file = join(dirname(path), `${module}.py`);
  return returnedLiteral(await readText(file), name, file);
}

/** What `!function utils.list_fewshot_samples` stands for: a function of a Python file. */
interface PythonReference {
  readonly function: string;
}

/** @throws NibbleError `bad_value` for what is no YAML, or no mapping */
async function parseYaml(path: string): Promise<Record<string, unknown>> {
  const { CORE_SCHEMA, defineScalarTag, load } = await import("js-yaml");
  const inPython = defineScalarTag<PythonReference>("!function", {
    resolve: (name) => ({ function: name }),
    identify: () => false,
  });
  const text = await readText(path);
  let value: unknown;
  try {
    value = load(text, { schema: CORE_SCHEMA.withTags(inPython) });
  } catch (cause) {
    throw new NibbleError("bad_value", `${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new NibbleError("bad_value", `${path}: expected a task file of lm-eval, a YAML mapping`);
}

function rowsOf(value: unknown, path: string): readonly Row[] {
  const isRow = (row: unknown): boolean => typeof row === "object" && row !== null && !Array.isArray(row);
  if (Array.isArray(value) && value.length > 0 && value.every(isRow)) return value;
  throw new NibbleError("bad_value", `${path}: expected a list of examples, each an object with the fields of a row`);
}
