/**
 * `nibble eval`: runs benchmarks on a model.
 * @module
 */
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { SamplingDefaults } from "../../engine/sample/defaults.ts";
import type { Backend } from "../../eval/backend.ts";
import type { CodeRunner } from "../../eval/code/runner.ts";
import type { Shard } from "../../eval/evaluate.ts";
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
import { writeText } from "../eval/output.ts";
import { table } from "../eval/report.ts";
import { openFolders, type RunSettings, taskHash } from "../eval/run-folder.ts";
import { runTask } from "../eval/run-task.ts";
import { ANSWER_LENGTH, type Flag, missing, number, repeated, text, toggle, unknownName } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, modelFlag, runtimeFlags } from "../model.ts";
import { printJson, printLines } from "../output.ts";
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
    ANSWER_LENGTH,
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
    "write results.json, samples_<task>.jsonl and report.html there; a run that was ended goes on and keeps every answer that was complete",
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
    const computing = await openComputing(urls, given);
    try {
      const { backend } = computing;
      const chat = (task: Task) => (given.chat || task.apply_chat_template ? chatOf(backend) : undefined);
      const runs = tasks.flatMap((task, i) => runsOf(task, { ...data[i]!, shots: given.shots, chat: chat(task) }));
      const names = [urls.length > 0 ? backend.name : (given.model ?? DEFAULT_MODEL), backend.name];
      await evaluateAll({ ...computing, runner, runs, means: meansOf(asked), names }, given);
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

/** Flags that change no sample, or what other settings stand for: the model's identity, and the hashes of tasks. */
const FREE: readonly (keyof EvalFlags)[] = [
  ...(["model", "data", "examples", "taskFiles", "out", "merge", "json", "parallel", "shard"] as const),
  ...(["threads", "noRevectorize", "batch", "offline", "urls", "apiKey", "apiKeyFile", "wait"] as const),
];

/** What decides about the samples of a run. Flags have the longer of their names. */
function settingsOf(backend: Backend, runs: readonly NamedRun[], given: EvalFlags): RunSettings {
  const chosen = Object.entries({ ...given, seed: given.seed ?? 0 })
    .filter(([name, value]) => value !== undefined && !(FREE as readonly string[]).includes(name))
    .map(([name, value]) => [flags[name as keyof EvalFlags].names.at(-1)!, value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const tasks = runs.map((run) => [`task ${run.name}`, taskHash(run)]);
  return { model: backend.identity, ...Object.fromEntries(tasks), ...Object.fromEntries(chosen) };
}

function chatOf(backend: Backend): Chat {
  return { render: (messages) => backend.renderChat(messages), shotsAsTurns: true };
}

interface Evaluation extends Computing {
  readonly runner: CodeRunner | undefined;
  readonly runs: readonly NamedRun[];
  /** The means over tasks that are reported. */
  readonly means: ReturnType<typeof meansOf>;
  /** What the model is called. */
  readonly names: readonly string[];
}

/** Computes what is not in the folders yet, and writes and prints the results. */
async function evaluateAll(
  { backend, endIds, parallel, runner, runs, means, names }: Evaluation,
  given: EvalFlags,
): Promise<void> {
  const folders = { out: given.out, merge: given.merge ?? [] };
  const { limit, shard, samples, predict: maxTokens } = given;
  const sampling = (own: SamplingDefaults) => samplingOptions({ ...given, seed: given.seed ?? 0 }, own, endIds);
  const lock = await openFolders(folders, settingsOf(backend, runs, given));
  try {
    const scores = new Map<NamedRun, readonly Scored[]>();
    const options = { limit, shard, samples, maxTokens, parallel, runner, sampling };
    for (const run of runs) scores.set(run, await runTask(backend, run, folders, options));
    const report = reportOf(scores, means);
    if (given.out !== undefined) {
      await writeText(join(given.out, "results.json"), `${JSON.stringify(report, null, 2)}\n`);
      await writeReport(given.out, names, report, runs);
    }
    await (given.json ? printJson(report) : printLines(table(report, names)));
  } finally {
    await lock?.release();
  }
}
