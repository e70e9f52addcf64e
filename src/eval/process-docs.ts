/**
 * What tasks make of the rows of their data before a prompt is built, as `process_docs` of lm-eval's task files does.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { lastBoxed } from "./math/boxed.ts";
import { minervaForm } from "./math/minerva.ts";

type Row = Readonly<Record<string, unknown>>;

interface DocProcess {
  /** A row whose question is asked. */
  row(row: Row): Row;
  /** A row that is an example. */
  shot(row: Row): Row;
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
  row: (row) => ({ ...row, answer: minervaForm(boxedAnswer(row)) }),
  shot(row) {
    const solution = String(row.solution);
    const ending = `\nFinal Answer: The final answer is $${lastBoxed(solution) ?? row.answer}$. ${MINERVA_END}`;
    return { ...row, few_shot: "1", solution: solution.trimEnd().endsWith(MINERVA_END) ? solution : solution + ending };
  },
};

/** An example from GSM8K's own rows becomes one with the words that the answer is found by. */
const gsm8kCot: DocProcess = {
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

export type DocProcessName = "minerva" | "gsm8k_cot";

export const DOC_PROCESSES: Readonly<Record<DocProcessName, DocProcess>> = { minerva, gsm8k_cot: gsm8kCot };
