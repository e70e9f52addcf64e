/**
 * `nibble eval`: runs benchmarks on a model.
 * @module
 */
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { SamplingDefaults } from "../../engine/sample/defaults.ts";
import type { Backend } from "../../eval/backend.ts";
import type { CodeRunner } from "../../eval/code/runner.ts";
import { evaluate, type Shard } from "../../eval/evaluate.ts";
import type { Chat } from "../../eval/prompts.ts";
import { GROUPS, meansOf, TASKS, tasksOf } from "../../eval/registry.ts";
import { reportOf } from "../../eval/results.ts";
import { type NamedRun, runsOf, type TaskData } from "../../eval/runs.ts";
import type { Scored } from "../../eval/samples.ts";
import type { Task } from "../../eval/task.ts";
import { readTask } from "../../eval/task-file.ts";
import type { Arguments } from "../arguments.ts";
import { type Command, defineCommand } from "../command.ts";
import { checkRunCode, codeFlags, codeRunner, withinDates } from "../eval/code.ts";
import { type Computing, openComputing } from "../eval/computing.ts";
import { readData } from "../eval/data.ts";
import { fixedExamples } from "../eval/fewshot.ts";
import { writeReport } from "../eval/html-report.ts";
import { openFolder, SampleFile, writeText } from "../eval/output.ts";
import { table } from "../eval/report.ts";
import { type Flag, missing, number, repeated, text, toggle, unknownName } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, modelFlag, runtimeFlags } from "../model.ts";
import { printJson, printLines } from "../output.ts";
import { Progress } from "../progress.ts";
import { serverFlags, splitUrls } from "../remote/servers.ts";
import { samplingFlags, samplingOptions } from "../sampling.ts";

/** `1/4` is the first of four. */
const shardFlag: Flag<Shard> = {
  names: ["--shard"],
  placeholder: "I/N",
  expected: "I/N, such as 1/4 for the first of four",
  help: "compute only one of N parts of the rows; --merge puts their samples together",
  read(value) {
    const [, index, count] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(value) ?? [];
    return Number(index) <= Number(count) ? { index: Number(index) - 1, count: Number(count) } : undefined;
  },
};

const flags = {
  model: modelFlag,
  ...serverFlags,
  taskFiles: repeated<string>({
    names: "--task",
    placeholder: "FILE",
    expected: "a file",
    help: "a task of your own: JSON with the keys of lm-eval's task files",
    read: (value) => value,
  }),
  data: text(
    "--data",
    "PATH",
    "the file of one task (JSON Lines, also packed by gzip, JSON or Parquet), or a folder with <task>.jsonl (and <task>.train.jsonl for examples) or with data sets as the hub lays them out",
  ),
  shots: number(
    "--num-fewshot",
    "N",
    { min: 0, max: 1024, integer: true },
    "examples per prompt (default: the task's)",
  ),
  examples: text(
    "--fewshot-from",
    "PATH",
    "take examples from a file of rows, or from an installed lm-eval where a task has fixed ones",
  ),
  limit: number("--limit", "N", { min: 1, integer: true }, "only the first N rows of each task"),
  chat: toggle("--apply-chat-template", "send prompts through the model's chat template, each example as turns"),
  predict: number(
    "-n, --n-predict",
    "N",
    { min: 1, integer: true },
    "most tokens of a generated answer (default: the task's)",
  ),
  samples: number(
    "--samples",
    "N",
    { min: 1, max: 1024, integer: true },
    "answers per question, whose scores are averaged",
  ),
  shard: shardFlag,
  merge: repeated<string>({
    names: "--merge",
    placeholder: "DIR",
    expected: "a folder",
    help: "rows that are in the samples of this folder count as done, such as those of another shard; may come more than once",
    read: (value) => value,
  }),
  out: text(
    "-o, --output",
    "DIR",
    "write results.json, samples_<task>.jsonl and report.html there; a run that was ended goes on",
  ),
  parallel: number(
    "-np, --parallel",
    "N",
    { min: 1, max: 256, integer: true },
    "answers that are generated at the same time (default 8)",
  ),
  ...codeFlags,
  ...samplingFlags,
  ...runtimeFlags,
  json: jsonFlag,
};

export const evalCommand: Command = defineCommand({
  name: "eval",
  usage: "TASK...",
  positionals: [0, 64],
  about: `Runs benchmarks as lm-eval does: the same prompts, the same rules, the same numbers. TASK is one of
${[...TASKS.keys()].join(", ")},
or one of the groups ${[...GROUPS.keys()].join(", ")}; r1-base and r1-final are the tables of
MobileLLM-R1's model card. The data is read from --data; without it, the task's data set is fetched from the hub into the cache
of \`nibble pull\`, with the same HF_ENDPOINT, HF_TOKEN and --offline.
A model of this machine computes (-m), or OpenAI-compatible servers (--url), with the same results.
--json prints lm-eval's results: { "results": { "<task>": { "<metric>,<filter>": number } }, "n-samples": ... }.`,
  flags,
  async run({ flags: given, positionals }) {
    const { urls, rest: asked } = splitUrls(positionals, given);
    const own = await Promise.all((given.taskFiles ?? []).map(readTaskFile));
    const named = new Map(asked.flatMap(namedTasks).map((task) => [task.task, task]));
    const tasks = [...named.values(), ...own];
    if (tasks.length === 0) throw missing("a task", "name it as TASK, or give its file by --task");
    checkRunCode(tasks, given);
    const examples = await fixedExamples(tasks, given.examples);
    const data: TaskData[] = [];
    for (const [i, task] of tasks.entries()) {
      const own = await readData(task, { data: given.data, shots: given.shots, pool: examples[i] });
      data.push({ ...own, rows: withinDates(task, own.rows, given) });
    }
    const runner = await codeRunner(tasks);
    const prepare = (model: string): void => {
      if (given.out === undefined) return;
      openFolder(given.out, { model, tasks: tasks.map(({ task }) => task), ...settingsOf(given) });
    };
    if (urls.length === 0) prepare(given.model ?? DEFAULT_MODEL);
    const computing = await openComputing(urls, given);
    try {
      const { backend } = computing;
      if (urls.length > 0) prepare(backend.name);
      const chat = (task: Task) => (given.chat || task.apply_chat_template ? chatOf(backend) : undefined);
      const runs = tasks.flatMap((task, i) => runsOf(task, { ...data[i]!, shots: given.shots, chat: chat(task) }));
      const scores = new Map<NamedRun, readonly Scored[]>();
      for (const run of runs) scores.set(run, await runTask({ ...computing, runner }, run, given));
      const report = reportOf(scores, meansOf(asked));
      const names = [urls.length > 0 ? backend.name : (given.model ?? DEFAULT_MODEL), backend.name];
      if (given.out !== undefined) {
        await writeText(join(given.out, "results.json"), `${JSON.stringify(report, null, 2)}\n`);
        await writeReport(given.out, names, report, runs);
      }
      await (given.json ? printJson(report) : printLines(table(report, names)));
    } finally {
      runner?.dispose();
      computing.close();
    }
  },
});

type EvalFlags = Arguments<typeof flags>["flags"];

/** The tasks of a name, which may be a group's. */
function namedTasks(name: string): readonly Task[] {
  const tasks = tasksOf(name);
  if (tasks) return tasks;
  throw unknownName(name, "task (nibble eval --help lists them; --task takes a file)", [
    ...TASKS.keys(),
    ...GROUPS.keys(),
  ]);
}

async function readTaskFile(path: string): Promise<Task> {
  const content = await readText(path);
  try {
    return readTask(JSON.parse(content), path);
  } catch (cause) {
    if (cause instanceof NibbleError) throw cause;
    throw new NibbleError("bad_json", `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** What decides about the samples of a run, beside its model and tasks. */
function settingsOf({
  taskFiles: _,
  out,
  json,
  parallel,
  shard,
  merge,
  threads,
  noRevectorize,
  model,
  urls,
  apiKey,
  apiKeyFile,
  wait,
  ...given
}: EvalFlags): object {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function chatOf(backend: Backend): Chat {
  return { render: (messages) => backend.renderChat(messages), shotsAsTurns: true };
}

/** Computes the rows of a task that are not in its file yet. */
async function runTask(
  { backend, endIds, parallel, runner }: Computing & { readonly runner: CodeRunner | undefined },
  run: NamedRun,
  given: EvalFlags,
): Promise<readonly Scored[]> {
  const { name, task, rows } = run;
  const path = given.out === undefined ? undefined : join(given.out, `samples_${name}.jsonl`);
  const others = (given.merge ?? []).map((folder) => join(folder, `samples_${name}.jsonl`));
  const file = new SampleFile(path, others, task.filter_list?.length ?? 1);
  const total = Math.ceil(Math.min(rows.length, given.limit ?? Infinity) / (given.shard?.count ?? 1));
  const progress = new Progress(name);
  const { done } = file;
  let finished = done.size;
  try {
    const options = {
      done,
      limit: given.limit,
      shard: given.shard,
      samples: given.samples,
      maxTokens: given.predict,
      runner,
      sampling: (own: SamplingDefaults) => samplingOptions({ ...given, seed: given.seed ?? 0 }, own, endIds),
      ...(parallel !== undefined && { parallel }),
    };
    for await (const samples of evaluate(backend, run, options)) {
      file.add(samples);
      progress.update(++finished, total);
    }
  } finally {
    progress.end();
  }
  return file.end();
}
