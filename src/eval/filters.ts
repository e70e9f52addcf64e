/**
 * The ways in which the generated answers of a task are found and judged, each with results of its own.
 * @module
 */
import { findAnswer, isExactMatch } from "./answers.ts";
import { passAtK } from "./code/pass-at-k.ts";
import { CODE_RULES, type CodeRule } from "./code/rules.ts";
import type { CodeRunner } from "./code/runner.ts";
import { MATH_RULES, type Verdict } from "./math/rules.ts";
import { meanOf } from "./metrics.ts";
import type { Metric, Row, Task } from "./task.ts";

export interface Filter {
  readonly name: string;
  /** @param texts the answers to one question */
  readonly judge: (texts: readonly string[], right: Right, signal?: AbortSignal) => Promise<Judged>;
}

/** What is right for a row. */
interface Right {
  readonly target: string;
  readonly row: Row;
}

interface Judged {
  /** What lm-eval's filter makes of the texts. */
  readonly filtered: readonly unknown[];
  /** What was found in each text, where it is not the filter that finds it. */
  readonly answers?: readonly string[];
  readonly scores: Scores;
  /** How many answers a rule could not compare with the right one. */
  readonly undecided?: number;
}

export type Scores = Partial<Record<Metric, number>>;

/** The names of a task's filters. A row has a sample for each. */
export function filterNames(task: Task): readonly string[] {
  return task.output_type === "multiple_choice" ? ["none"] : filtersOf(task, undefined).map(({ name }) => name);
}

/** @param runner required to judge by a `code_rule` */
export function filtersOf(task: Task, runner: CodeRunner | undefined): readonly Filter[] {
  const { math_rule, code_rule, filter_list, exact_match, metrics } = task;
  if (code_rule) return [programs(code_rule, metrics, runner!)];
  if (math_rule) return [withoutFilter(exact("none", (text, { row }) => MATH_RULES[math_rule](text, row)))];
  return (filter_list ?? [{ name: "none", regex: "[^]*" }]).map((filter) =>
    exact(filter.name, (text, { target }) => {
      const answer = findAnswer(text, filter);
      return { answer, right: isExactMatch(answer, target, exact_match) };
    }),
  );
}

/** Answers that are right or wrong by themselves. Their scores are averaged. */
function exact(name: string, judge: (text: string, right: Right) => Verdict): Filter {
  return {
    name,
    async judge(texts, right) {
      const verdicts = texts.map((text) => judge(text, right));
      const exact_match = meanOf(verdicts.map(({ right }) => Number(right))).mean;
      const undecided = verdicts.filter((verdict) => verdict.undecided).length;
      return { filtered: verdicts.map(({ answer }) => answer), scores: { exact_match }, undecided };
    },
  };
}

/** Where lm-eval finds the answers only when it scores them, its filter leaves the texts as they are. */
function withoutFilter({ name, judge }: Filter): Filter {
  return {
    name,
    async judge(texts, right, signal) {
      const { filtered: answers, ...judged } = await judge(texts, right, signal);
      return { ...judged, filtered: texts, answers: answers as readonly string[] };
    },
  };
}

/** Answers that are programs, which are run. As in lm-eval, pass@k is left out where there are fewer than k programs. */
function programs(rule: CodeRule, metrics: readonly Metric[], runner: CodeRunner): Filter {
  const { filter: name, program, job, isFirst } = CODE_RULES[rule];
  return {
    name,
    async judge(texts, { target, row }, signal) {
      const answers = texts.map((text) => program(text, row));
      const jobs = await Promise.all(answers.map((answer) => job(answer, target, row)));
      const results = await Promise.all(jobs.map((one) => runner.run(one, signal)));
      const right = results.filter(({ passed }) => passed).length;
      const possible = metrics.map((metric) => [metric, Number(/\d+$/.exec(metric))] as const);
      const scores = possible
        .filter(([, k]) => k <= results.length)
        .map(([metric, k]) => [metric, passAtK(results.length, right, k)] as const);
      return { filtered: isFirst ? answers : [answers], scores: Object.fromEntries(scores) };
    },
  };
}
