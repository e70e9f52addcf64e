/**
 * Runs a task row by row.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { findAnswer, isExactMatch } from "./answers.ts";
import type { Backend } from "./backend.ts";
import { type AnswerOptions, answerRequests } from "./generation.ts";
import { MATH_RULES, type Verdict } from "./math/rules.ts";
import { meanOf } from "./metrics.ts";
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
  readonly options: Pick<EvaluateOptions, keyof AnswerOptions | "signal">;
}

/** Builds the requests of a row. The function that is returned computes its samples. */
function startRow(
  backend: Backend,
  { task, name }: TaskRun,
  { id, row, prompts, options: { signal, ...options } }: RowParts,
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
    return filtersOf(task).map(({ name: filter, judge }) => {
      const verdicts = texts.map((text) => judge(text, { target, row }));
      const undecided = verdicts.filter((verdict) => verdict.undecided).length;
      const metrics = {
        ...only(task.metrics, { exact_match: meanOf(verdicts.map(({ right }) => Number(right))).mean }),
        ...(undecided > 0 && { undecided }),
      };
      const answers = verdicts.map(({ answer }) => answer);
      return { id, row, target, requests: [[context, generation_kwargs]], resps: [texts], filter, answers, metrics };
    });
  };
}

interface Filter {
  readonly name: string;
  readonly judge: (text: string, right: { readonly target: string; readonly row: Row }) => Verdict;
}

/** The ways in which the answers of a task are found and judged. */
function filtersOf({ math_rule, filter_list, exact_match }: Task): readonly Filter[] {
  if (math_rule) return [{ name: "none", judge: (text, { row }) => MATH_RULES[math_rule](text, row) }];
  return (filter_list ?? [{ name: "none", regex: "[^]*" }]).map((filter) => ({
    name: filter.name,
    judge(text, { target }) {
      const answer = findAnswer(text, filter);
      return { answer, right: isExactMatch(answer, target, exact_match) };
    },
  }));
}

function only(wanted: readonly Metric[], scores: Partial<Record<Metric, number>>): Partial<Record<Metric, number>> {
  return Object.fromEntries(wanted.filter((name) => scores[name] !== undefined).map((name) => [name, scores[name]!]));
}
