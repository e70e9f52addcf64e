/**
 * Where the answer to a mathematical problem is in a text, and whether it is right, by the rules of each benchmark.
 * @module
 */
import type { Row } from "../row.ts";
import { lastBoxed } from "./boxed.ts";
import { compareMinerva, minervaAnswer, minervaForm } from "./minerva.ts";
import { sameLatex } from "./plain-latex.ts";
import { compareR1 } from "./r1-equality.ts";
import { r1Answer, r1Form } from "./r1-form.ts";

export interface Verdict {
  readonly answer: string;
  readonly right: boolean;
  /** Whether the rule could not compare the answers; they then count as different. */
  readonly undecided?: boolean;
}

/** Between the first dollar sign and the last, or all of a text that has fewer than two. */
function betweenDollars(text: string): string {
  const first = text.indexOf("$");
  const last = text.lastIndexOf("$");
  return first === last ? text : text.slice(first + 1, last);
}

/** lm-eval's `hendrycks_math500`. The right answer is the field `answer`, as the box of the solution has it (`process_docs`). */
function hendrycks(text: string, { answer: gold }: Row): Verdict {
  const answer = betweenDollars(text);
  return { answer, right: sameLatex(answer, String(gold)) };
}

/** lm-eval's `aime`: a box counts before dollar signs. */
function aime(text: string, row: Row): Verdict {
  const answer = lastBoxed(text) ?? betweenDollars(text);
  const key = Object.keys(row).find((name) => name.toLowerCase() === "answer");
  return { answer, right: key !== undefined && sameLatex(answer, String(row[key])) };
}

/** lm-eval's `minerva_math500`. The right answer is the field `answer`, in the same form (`process_docs`). */
function minerva(text: string, { answer: gold }: Row): Verdict {
  const answer = minervaForm(minervaAnswer(text));
  const equality = compareMinerva(answer, String(gold));
  return { answer, right: equality === "equal", undecided: equality === "undecided" };
}

/** The final models' rule. The right answer is the field `gold`, in the same form (`process_docs`). */
function r1(text: string, { gold }: Row): Verdict {
  const answer = r1Form(r1Answer(text));
  const equality = compareR1(answer, String(gold));
  return { answer, right: equality === "equal", undecided: equality === "undecided" };
}

export type MathRule = "hendrycks" | "aime" | "minerva" | "r1";

/** @param text what the model wrote @param row the row of the data set, which has the right answer */
export const MATH_RULES: Readonly<Record<MathRule, (text: string, row: Row) => Verdict>> = {
  hendrycks,
  aime,
  minerva,
  r1,
};
