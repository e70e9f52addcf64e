/**
 * Runs a task row by row.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Backend } from "./backend.ts";
import type { CodeRunner } from "./code/runner.ts";
import { filtersOf, type Scores } from "./filters.ts";
import { type AnswerOptions, answerRequests } from "./generation.ts";
import { scoreChoices } from "./multiple-choice.ts";
import { type PromptOptions, Prompts } from "./prompts.ts";
import type { Sample } from "./samples.ts";
import type { Metric, Row, Task } from "./task.ts";

/** A task, or one of its subtasks, with its data. */
export interface TaskRun {
  /** The name under which results are reported, such as `mmlu_anatomy`. */
  readonly name: string;
  readonly task: Task;
  readonly rows: readonly Row[];
  readonly prompts: PromptOptions;
}

export interface EvaluateOptions extends AnswerOptions {
  /** Most rows (default: all). */
  readonly limit?: number | undefined;
  /** Rows that are done already, by their index. */
  readonly done?: ReadonlySet<number>;
  /** Only the rows whose index leaves this rest, so that several machines can share a run (default: all). */
  readonly shard?: Shard | undefined;
  /** Rows that are computed at the same time (default 8). */
  readonly parallel?: number;
  /** What runs the programs of tasks that have a `code_rule`. */
  readonly runner?: CodeRunner | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The rows `index`, `index + count`, `index + 2 * count` ... */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * The samples of each row, one per filter, in the order of the rows.
 * @throws the signal's reason; NibbleError `template_error`, `bad_value` for a row that does not fit the task; `context_full`
 */
export async function* evaluate(
  backend: Backend,
  run: TaskRun,
  { limit = Infinity, done = new Set(), shard = { index: 0, count: 1 }, parallel = 8, ...options }: EvaluateOptions,
): AsyncGenerator<readonly Sample[], undefined> {
  if (run.task.code_rule && !options.runner)
    throw new NibbleError("invalid_argument", `${run.name}: it runs programs that the model writes, and got no runner`);
  const prompts = new Prompts(run.task, run.prompts);
  const running: Promise<readonly Sample[]>[] = [];
  try {
    for (const [id, row] of run.rows.slice(0, limit).entries()) {
      // Every row is built, because the examples of a row depend on the draws before it.
      const start = startRow(backend, run, { id, row, prompts, options });
      if (done.has(id) || id % shard.count !== shard.index) continue;
      const samples = start();
      samples.catch(() => {}); // It is awaited later, and another row may fail first.
      running.push(samples);
      if (running.length >= parallel) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
}

interface RowParts {
  readonly id: number;
  readonly row: Row;
  readonly prompts: Prompts;
  readonly options: Pick<EvaluateOptions, keyof AnswerOptions | "runner" | "signal">;
}

/** Builds the requests of a row. The function that is returned computes its samples. */
function startRow(
  backend: Backend,
  { task, name }: TaskRun,
  { id, row, prompts, options: { signal, runner, ...options } }: RowParts,
): () => Promise<readonly Sample[]> {
  if (task.output_type === "multiple_choice") {
    const choices = prompts.choices(row);
    return async () => {
      const { likelihoods, ...scores } = await scoreChoices(backend, choices, signal);
      const resps = likelihoods.map(({ logprob, greedy }) => [logprob, greedy] as const);
      const metrics = only(task.metrics, scores);
      return [
        { id, row, target: choices.target, requests: choices.pairs, resps, filter: "none", answers: resps, metrics },
      ];
    };
  }
  const { generation_kwargs } = task;
  if (!generation_kwargs) throw new NibbleError("bad_value", `${name}: expected generation_kwargs, got none`);
  const question = prompts.question(row);
  const { context, target } = question;
  const requests = answerRequests(id, question, generation_kwargs, options);
  return async () => {
    const texts = await Promise.all(requests.map((request) => backend.generate(request, signal)));
    const judged = filtersOf(task, runner).map(async ({ name: filter, judge }): Promise<Sample> => {
      const { answers, scores, undecided } = await judge(texts, { target, row }, signal);
      const metrics = { ...only(task.metrics, scores), ...(undecided && { undecided }) };
      return { id, row, target, requests: [[context, generation_kwargs]], resps: [texts], filter, answers, metrics };
    });
    return Promise.all(judged);
  };
}

function only(wanted: readonly Metric[], scores: Scores): Scores {
  return Object.fromEntries(wanted.filter((name) => scores[name] !== undefined).map((name) => [name, scores[name]!]));
}
