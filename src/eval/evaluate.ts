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
import { Slots } from "./slots.ts";
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
  readonly done?: ReadonlySet<number> | undefined;
  /** Only the rows whose index leaves this rest, so that several machines can share a run (default: all). */
  readonly shard?: Shard | undefined;
  /** Calls of the backend at the same time: answers, or rows with choices (default 8). */
  readonly parallel?: number | undefined;
  /** Answers of rows that were not complete when an earlier run was ended (default: none, and none are kept). */
  readonly kept?: KeptAnswers | undefined;
  /** What runs the programs of tasks that have a `code_rule`. */
  readonly runner?: CodeRunner | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The single answers of rows that have several, by the row's index and the answer's. */
export interface KeptAnswers {
  /** The answer, if it was generated before. */
  get(row: number, sample: number): string | undefined;
  /** Takes an answer as soon as it has been generated. @throws NibbleError `io_error` */
  add(row: number, sample: number, text: string): void;
}

/** The rows `index`, `index + count`, `index + 2 * count` ... */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * The samples of each row, one per filter. Rows come as they end, in any order, so that a long one holds up no other; what
 * they hold does not depend on the order.
 * @throws the signal's reason; NibbleError `template_error`, `bad_value` for a row that does not fit the task; `context_full`
 */
export async function* evaluate(
  backend: Backend,
  run: TaskRun,
  options: EvaluateOptions,
): AsyncGenerator<readonly Sample[], undefined> {
  if (run.task.code_rule && !options.runner)
    throw new NibbleError("invalid_argument", `${run.name}: it runs programs that the model writes, and got no runner`);
  const { limit = Infinity, done = new Set(), shard = { index: 0, count: 1 }, parallel = 8, signal } = options;
  const prompts = new Prompts(run.task, run.prompts);
  const slots = new Slots(parallel);
  const running = new Map<number, Promise<Ended>>();
  // Ends the other rows where one fails, or where nobody wants more.
  const controller = new AbortController();
  const abort = () => controller.abort(signal!.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort);
  const compute = limited(backend, slots, controller);
  try {
    for (const [id, row] of run.rows.slice(0, limit).entries()) {
      // Every row is built, because the examples of a row depend on the draws before it.
      const start = startRow(compute, run, { id, row, prompts, options, signal: controller.signal });
      if (done.has(id) || id % shard.count !== shard.index) continue;
      while (slots.full) {
        const ended = await Promise.race([slots.free(), ...running.values()]);
        controller.signal.throwIfAborted();
        if (!ended) continue;
        running.delete(ended.id);
        yield ended.samples;
      }
      const samples = start().then((samples) => ({ id, samples }));
      samples.catch(() => {}); // It is awaited later, and another row may fail first.
      running.set(id, samples);
    }
    while (running.size > 0) {
      const { id, samples } = await Promise.race(running.values());
      running.delete(id);
      yield samples;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    controller.abort();
    await Promise.allSettled(running.values());
  }
}

interface Ended {
  readonly id: number;
  readonly samples: readonly Sample[];
}

type Compute = Pick<Backend, "logLikelihoods" | "generate">;

/** The backend with a bound on the calls that run at the same time. The first that fails ends the others. */
function limited(backend: Backend, slots: Slots, controller: AbortController): Compute {
  const { signal } = controller;
  const run = <T>(call: () => Promise<T>): Promise<T> =>
    slots.run(async () => {
      signal.throwIfAborted();
      try {
        return await call();
      } catch (error) {
        controller.abort(error);
        throw error;
      }
    });
  return {
    logLikelihoods: (pairs) => run(() => backend.logLikelihoods(pairs, signal)),
    generate: (request) => run(() => backend.generate(request, signal)),
  };
}

interface RowParts {
  readonly id: number;
  readonly row: Row;
  readonly prompts: Prompts;
  readonly options: Pick<EvaluateOptions, keyof AnswerOptions | "runner" | "kept">;
  readonly signal: AbortSignal;
}

/** Builds the requests of a row. The function that is returned computes its samples. */
function startRow(
  compute: Compute,
  { task, name }: TaskRun,
  { id, row, prompts, options: { runner, kept, ...options }, signal }: RowParts,
): () => Promise<readonly Sample[]> {
  if (task.output_type === "multiple_choice") {
    const choices = prompts.choices(row);
    return async () => {
      const { likelihoods, ...scores } = await scoreChoices(compute, choices);
      const answers = likelihoods.map(({ logprob, greedy }) => [logprob, greedy] as const);
      const resps = answers.map((answer) => [answer]);
      const metrics = only(task.metrics, scores);
      const { target: gold, targetText: target, pairs: requests } = choices;
      return [{ id, row, target, gold, requests, resps, filter: "none", filtered: answers, metrics }];
    };
  }
  const { generation_kwargs } = task;
  if (!generation_kwargs) throw new NibbleError("bad_value", `${name}: expected generation_kwargs, got none`);
  const question = prompts.question(row);
  const { context, target } = question;
  const { requests, settings } = answerRequests(id, question, { ...task, generation_kwargs }, options);
  return async () => {
    // With its only answer, a row is complete: its line keeps the answer.
    const store = requests.length > 1 ? kept : undefined;
    const texts = await Promise.all(
      requests.map(async (request, sample) => {
        const known = store?.get(id, sample);
        if (known !== undefined) return known;
        const text = await compute.generate(request);
        store?.add(id, sample, text);
        return text;
      }),
    );
    const judged = filtersOf(task, runner).map(async ({ name: filter, judge }): Promise<Sample> => {
      const { filtered, answers, scores, undecided } = await judge(texts, { target, row }, signal);
      const metrics = { ...only(task.metrics, scores), ...(undecided && { undecided }) };
      const sample = { id, row, target, requests: [[context, settings]], resps: [texts], filter, filtered } as const;
      return { ...sample, ...(answers && { answers }), metrics };
    });
    return Promise.all(judged);
  };
}

function only(wanted: readonly Metric[], scores: Scores): Scores {
  return Object.fromEntries(wanted.filter((name) => scores[name] !== undefined).map((name) => [name, scores[name]!]));
}
