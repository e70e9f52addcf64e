/**
 * What tasks make of the rows of their data before a prompt is built, as `process_docs` of lm-eval's task files does.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { capitalize } from "../chat/jinja/letter-case.ts";
import { lastBoxed } from "./math/boxed.ts";
import { minervaForm } from "./math/minerva.ts";
import { r1Answer, r1Form } from "./math/r1-form.ts";
import { strip } from "./python-text.ts";
import type { Row } from "./row.ts";

interface DocProcess {
  /** A row whose question is asked. */
  row(row: Row): Row;
  /** A row that is an example. */
  shot(row: Row): Row;
  /** The fields that a row must have, and those that it gets. */
  readonly reads: readonly string[];
  readonly makes: readonly string[];
}

const MINERVA_END = "I hope it is correct.";

/** The content of the last box of the solution, or the answer of a row that has no solution. */
function boxedAnswer({ solution, answer }: Row): string {
  if (solution === undefined && answer !== undefined) return String(answer);
  const boxed = lastBoxed(String(solution));
  if (boxed === undefined)
    throw new NibbleError(
      "bad_value",
      `expected \\boxed{...} in the solution of a row, got ${JSON.stringify(solution)}`,
    );
  return boxed;
}

/** The answer is taken from the solution. An example shows the words that the answer is found by. */
const minerva: DocProcess = {
  reads: ["problem"],
  makes: ["answer", "few_shot"],
  row: (row) => ({ ...row, answer: minervaForm(boxedAnswer(row)) }),
  shot(row) {
    const solution = String(row.solution);
    const ending = `\nFinal Answer: The final answer is $${lastBoxed(solution) ?? row.answer}$. ${MINERVA_END}`;
    return { ...row, few_shot: "1", solution: solution.trimEnd().endsWith(MINERVA_END) ? solution : solution + ending };
  },
};

/** The answer is what the solution has in its box. */
const hendrycks: DocProcess = forBoth({
  reads: ["problem"],
  makes: ["answer"],
  row: (row) => ({ ...row, answer: boxedAnswer(row) }),
});

/** HellaSwag's texts without the marks of their source. The second part of the context begins a sentence. */
const hellaswag: DocProcess = forBoth({
  reads: ["activity_label", "ctx_a", "ctx_b", "endings", "label"],
  makes: ["query", "choices"],
  row(row) {
    const { endings, label } = row;
    const [about, before, after] = ["activity_label", "ctx_a", "ctx_b"].map((key) => row[key]);
    if (!Array.isArray(endings) || ![about, before, after, ...endings].every((text) => typeof text === "string"))
      throw new NibbleError("bad_value", "expected texts in activity_label, ctx_a and ctx_b, and a list in endings");
    const query = withoutMarks(`${about}: ${before} ${capitalize(after as string)}`);
    return { ...row, query, choices: endings.map(withoutMarks), gold: Number(label) };
  },
});

function withoutMarks(text: string): string {
  return strip(text)
    .replaceAll(" [title]", ". ")
    .replace(/\[[^\n]*?\]/g, "")
    .replaceAll("  ", " ");
}

/** A process that makes the same of rows and of examples. */
function forBoth(process: Omit<DocProcess, "shot">): DocProcess {
  return { ...process, shot: process.row };
}

/** An example from GSM8K's own rows becomes one with the words that the answer is found by. */
const gsm8kCot: DocProcess = {
  reads: ["question", "answer"],
  makes: [],
  row: (row) => row,
  shot({ question, answer, target }) {
    if (target !== undefined) return { question, target };
    const [reasoning, result] = String(answer).split("####") as [string, string | undefined];
    if (result === undefined)
      throw new NibbleError("bad_value", `expected a number behind #### in the answer of an example, got ${answer}`);
    const steps = reasoning
      .replace(/<<.*?>>/g, "")
      .trim()
      .split(/\s*\n\s*/);
    return { question, target: `${steps.join(" ")} The answer is ${result.trim()}.` };
  },
};

/**
 * The question and the right answer by the final models' evaluation, which names the two answers of a question where one
 * of them is right.
 * @param key the field of the question @param answerOf the right answer of a row as its data has it
 */
function finalModels(key: string, reads: readonly string[], answerOf: (row: Row) => string): DocProcess {
  const row = (row: Row): Row => {
    const once = answerOf(row);
    const kind = { true: "True or False", false: "True or False", yes: "Yes or No", no: "Yes or No" };
    const names = kind[once.toLowerCase() as keyof typeof kind];
    const question = String(row[key]);
    return { ...row, prompt: strip(question + (names ? ` (${names})` : "")), gold: r1Form(once) };
  };
  return { row, shot: row, reads, makes: ["prompt", "gold"] };
}

const finalAnswer = finalModels("problem", ["problem", "answer"], ({ answer }) => r1Form(String(answer)));
const finalSolution = finalModels("problem", ["problem"], (row) =>
  row.solution === undefined ? r1Form(boxedAnswer(row)) : r1Answer(String(row.solution)),
);
const finalSteps = finalModels("question", ["question", "answer"], ({ answer }) =>
  r1Form(String(answer).split("####").at(-1)!),
);

/** `r1_answer`: the right answer is the field `answer`; `r1_solution`: it is in `solution`; `r1_steps`: behind `####` in `answer`. */
export type DocProcessName =
  | "minerva"
  | "hendrycks"
  | "hellaswag"
  | "gsm8k_cot"
  | "r1_answer"
  | "r1_solution"
  | "r1_steps";

export const DOC_PROCESSES: Readonly<Record<DocProcessName, DocProcess>> = {
  minerva,
  hendrycks,
  hellaswag,
  gsm8k_cot: gsm8kCot,
  r1_answer: finalAnswer,
  r1_solution: finalSolution,
  r1_steps: finalSteps,
};
