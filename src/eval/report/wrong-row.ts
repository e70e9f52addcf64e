/**
 * A wrong answer as the report shows it, with long texts shortened.
 * @module
 */
import { argMax } from "../metrics.ts";
import type { Task } from "../task.ts";
import { renderList, renderRow } from "../template.ts";
import type { SampleFields } from "./sample-fields.ts";

/** A text of which the middle may be left out. */
export interface Excerpt {
  readonly head: string;
  /** Characters that are left out behind `head`. */
  readonly left: number;
  readonly tail: string;
}

export interface Verdict {
  readonly filter: string;
  /** Different answers with the number of times each was given, the most frequent first. */
  readonly answers: readonly { readonly text: string; readonly times: number }[];
  readonly metrics: SampleFields["metrics"];
}

export interface ShownChoice {
  readonly text: string;
  readonly logprob: number;
  readonly right: boolean;
  /** Whether it is the likeliest. */
  readonly chosen: boolean;
}

export interface WrongRow {
  readonly id: number;
  /** The highest score of its filters, and the mean of their scores. */
  readonly best: number;
  readonly mean: number;
  readonly question: Excerpt;
  readonly target: Excerpt;
  /** What the model wrote: the first of its texts, and how many more there are. */
  readonly output: Excerpt | undefined;
  readonly moreOutputs: number;
  readonly choices: readonly ShownChoice[];
  readonly verdicts: readonly Verdict[];
}

/** Characters of each text that are shown. What a model writes is longer than what it is asked. */
const MOST = { question: 1500, target: 800, output: 3000, answer: 120, choice: 300 };
/** Different answers of a row that are shown. */
const ANSWERS = 8;
const CHOICES = 16;

/** @param lines the samples of a row, one per filter */
export function wrongRow(task: Task, lines: readonly SampleFields[]): Omit<WrongRow, "best" | "mean"> {
  const [first] = lines as [SampleFields];
  return {
    id: first.id,
    question: excerpt(questionOf(task, first), MOST.question),
    target: excerpt(first.target, MOST.target),
    output: first.texts[0] === undefined ? undefined : excerpt(first.texts[0], MOST.output),
    moreOutputs: Math.max(0, first.texts.length - 1),
    choices: choicesOf(task, first),
    verdicts: lines.map(({ filter, answers, metrics }) => ({ filter, answers: tally(answers), metrics })),
  };
}

/** The question alone, without examples; all that the model read where the task's template is not about the question. */
function questionOf(task: Task, { doc, context }: SampleFields): string {
  if (task.multiple_inputs) return "";
  return attempt(() => renderRow(task.doc_to_text, doc)) ?? context;
}

function choicesOf(task: Task, { doc, choices, gold }: SampleFields): ShownChoice[] {
  const texts = task.doc_to_choice && attempt(() => renderList(task.doc_to_choice!, doc));
  const likeliest = argMax(choices.map(({ logprob }) => logprob));
  const shown = choices.map(({ context, continuation, logprob }, i) => ({
    text: shorten(texts?.[i] ?? (task.multiple_inputs ? context : continuation), MOST.choice),
    logprob,
    right: i === gold,
    chosen: i === likeliest,
  }));
  return shown.filter(({ right, chosen }, i) => i < CHOICES || right || chosen);
}

/** The value, or undefined for a row that the template does not fit. */
function attempt<T>(value: () => T): T | undefined {
  try {
    return value();
  } catch {
    return undefined;
  }
}

function tally(answers: readonly string[]): Verdict["answers"] {
  const times = new Map<string, number>();
  for (const answer of answers) times.set(answer, (times.get(answer) ?? 0) + 1);
  const sorted = [...times].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, ANSWERS).map(([text, count]) => ({ text: shorten(text, MOST.answer), times: count }));
}

/** Keeps the beginning and the end: the answer is at the end of what a model writes. */
function excerpt(text: string, most: number): Excerpt {
  const chars = [...text];
  if (chars.length <= most) return { head: text, left: 0, tail: "" };
  const half = most / 2;
  const part = (from: number, to?: number): string => chars.slice(from, to).join("");
  return { head: part(0, half), left: chars.length - most, tail: part(-half) };
}

function shorten(text: string, most: number): string {
  const chars = [...text];
  return chars.length <= most ? text : `${chars.slice(0, most - 1).join("")}…`;
}
