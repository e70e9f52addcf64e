/**
 * Evaluates the model of a worker, beside the model, so that the page stays responsive.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import { evaluate } from "../evaluate.ts";
import { LocalBackend } from "../local-backend.ts";
import { TASKS } from "../registry.ts";
import { collectors, reportPage, reportSections } from "../report/report.ts";
import { REPORT_STYLE } from "../report/style.ts";
import { reportOf } from "../results.ts";
import { parseRows } from "../rows.ts";
import { type NamedRun, runsOf, type TaskData } from "../runs.ts";
import { linesInOrder, readScored, type Sample, sampleLine } from "../samples.ts";
import type { Row, Task } from "../task.ts";
import { INCLUDED } from "./list-tasks.ts";
import type { EvalEvent, EvalRequest, EvalResult } from "./messages.ts";

/** Bytes of a file at most, since a worker holds its text and its rows. */
const MOST_BYTES = 2 ** 27;
/** Wrong rows in the page, which takes them at once; the file `report.html` has more. */
const WRONG_SHOWN = 60;

let stopping: AbortController | undefined;

export function stopEvaluation(): void {
  stopping?.abort();
}

/** @param signal ends it without a result */
export async function* evaluateModel(
  model: Model,
  { task: name, files, limit }: EvalRequest,
  signal: AbortSignal,
): AsyncGenerator<EvalEvent, undefined> {
  const task = TASKS.get(name);
  if (!task) throw new NibbleError("invalid_argument", `${name}: there is no such task`);
  const data = await readData(task, files);
  const backend = new LocalBackend(model);
  const chat = task.apply_chat_template ? { render: backend.renderChat.bind(backend), shotsAsTurns: true } : undefined;
  const shots = data.pool.length === 0 ? 0 : undefined;
  const runs = runsOf(task, { ...data, shots, chat });
  const total = runs.reduce((sum, { rows }) => sum + Math.min(limit, rows.length), 0);
  const lines = new Map<NamedRun, Map<number, string[]>>();
  const { signal: stop } = (stopping = new AbortController());
  signal.addEventListener("abort", stopEvaluation);
  let [done, right] = [0, 0];
  yield { type: "progress", done, total, right };
  try {
    for (const run of runs) {
      const own = new Map<number, string[]>();
      for await (const samples of evaluate(backend, run, { limit, signal: stop })) {
        lines.set(run, own.set(samples[0]!.id, samples.map(sampleLine)));
        right += Math.max(...samples.map(scoreOf));
        yield { type: "progress", done: ++done, total, right };
      }
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  signal.throwIfAborted();
  if (done > 0)
    yield {
      ...resultOf(backend.name, new Map([...lines].map(([run, own]) => [run, linesInOrder(own)]))),
      rows: done,
      shots: runs[0]!.prompts.shots,
    };
}

const scoreOf = ({ metrics }: Sample): number => Object.values(metrics)[0] ?? 0;

function resultOf(model: string, lines: ReadonlyMap<NamedRun, readonly string[]>): Omit<EvalResult, "rows" | "shots"> {
  const runs = [...lines.keys()];
  const report = reportOf(new Map([...lines].map(([run, own]) => [run, own.map((line) => readScored(line)!)])), []);
  const collect = (most?: number) =>
    collectors(runs, most).map((facts, i) => {
      for (const line of lines.get(runs[i]!)!) facts.add(line);
      facts.end();
      return facts;
    });
  const files: [string, string][] = [
    ["report.html", reportPage([model], report, collect())],
    ["results.json", `${JSON.stringify(report, null, 2)}\n`],
    ...runs.map((run): [string, string] => [
      `samples_${run.name}.jsonl`,
      lines
        .get(run)!
        .map((line) => `${line}\n`)
        .join(""),
    ]),
  ];
  return {
    ...{
      type: "result",
      report,
      style: REPORT_STYLE,
      sections: reportSections([model], report, collect(WRONG_SHOWN)).text,
    },
    files: files.map(([name, text]) => [name, new Blob([text])] as const),
  };
}

/** @throws NibbleError `missing_file`, `limit_exceeded`, `bad_json`, `bad_value` */
async function readData(task: Task, files: readonly File[]): Promise<TaskData> {
  if (files.length === 0 && task.task === INCLUDED) {
    const name = "crumb-problems.jsonl";
    const response = await fetch(new URL("./crumb-problems.jsonl", import.meta.url));
    if (!response.ok) throw new NibbleError("missing_file", `${name}: the server answered ${response.status}`);
    return { rows: parseRows(await response.text(), name), pool: [] };
  }
  const isPool = ({ name }: File): boolean =>
    name.includes(".train.") || (task.fewshot_split !== task.test_split && name.includes(`.${task.fewshot_split}.`));
  const [rows, pool] = [files.find((file) => !isPool(file)), files.find(isPool)];
  if (!rows) throw new NibbleError("missing_file", `${task.task}: expected a JSONL file with its rows`);
  return { rows: await readRows(rows), pool: pool ? await readRows(pool) : [] };
}

async function readRows(file: File): Promise<readonly Row[]> {
  if (file.size > MOST_BYTES)
    throw new NibbleError("limit_exceeded", `${file.name}: expected at most ${MOST_BYTES} bytes, got ${file.size}`);
  return parseRows(await file.text(), file.name);
}
