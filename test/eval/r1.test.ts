/** The final models' protocol: prompts, where an answer is found, and which answers are equal. */
import { expect, it } from "vitest";
import { wordsToNumber } from "../../src/eval/math/number-words.ts";
import { compareR1 } from "../../src/eval/math/r1-equality.ts";
import { r1Answer, r1Form } from "../../src/eval/math/r1-form.ts";
import { MATH_RULES } from "../../src/eval/math/rules.ts";
import { read, setUp } from "./fixtures.ts";

const { text, solution, pairs, texts, gsm8k } = read("r1-answers.json");

it("235 answers in a box, 46 whole texts, 87 answers to GSM8K", () => {
  const boxed = pairs.map(([answer, gold, ...rest]: string[]) => [
    text.replace("ANSWER", () => answer),
    r1Answer(solution.replace("GOLD", () => gold)),
    ...rest,
  ]);
  for (const [one, gold, answer, goldForm, score] of boxed)
    expect([one, ...judged(one, gold)]).toEqual([one, answer, goldForm, score]);
  for (const [one, gold, answer, score] of [...texts, ...gsm8k]) {
    const [found, , right] = judged(one, r1Form(gold));
    expect([one, found, right]).toEqual([one, answer, score]);
  }
});

function judged(one: string, gold: string): [string, string, number] {
  const form = r1Form(gold);
  const { answer, right } = MATH_RULES.r1(one, { gold: form });
  return [answer, form, Number(right)];
}

it.each<{ task: string; docs: [number, string, string][] }>(read("requests/r1.json"))(
  "prompts of $task",
  ({ task, docs }) => {
    const { rows, prompts } = setUp({ task, shots: 0, chat: "single turn" });
    expect(docs.length).toBeGreaterThan(9);
    for (const [doc, target, context] of docs) expect(prompts.question(rows[doc]!)).toMatchObject({ context, target });
  },
);

// Verdicts of the evaluation itself with sympy 1.14 and latex2sympy2_extended 1.11.
it.each([
  ["1500", "15", "equal"],
  ["10002", "10000", "different"],
  ["(1,\\frac{1}{2})", "[1,0.5]", "equal"],
  ["(0,1)\\cup(2,3)", "(0,1)\\cup(5,3)", "equal"],
  ["{\\frac{1}{2},1}", "{1,\\frac{1}{2}}", "equal"],
  ["x>4", "x<4", "equal"],
  ["y=2x+1", "2x-y=-1", "equal"],
  ["\\begin{pmatrix}0.333\\\\1\\end{pmatrix}", "\\begin{pmatrix}\\frac{1}{3}\\\\1\\end{pmatrix}", "equal"],
  ["\\begin{pmatrix}0.3\\\\1\\end{pmatrix}", "\\begin{pmatrix}\\frac{1}{3}\\\\1\\end{pmatrix}", "different"],
  ["\\sqrt{2}", "1.41421", "equal"],
  ["\\sqrt{2}", "1.41", "different"],
  ["(A)", "A", "equal"],
  ["\\frac{}{}", "1", "different"],
  ["\\binom52", "10", "undecided"],
])("%s and %s are %s", (a, b, expected) => expect(compareR1(a, b)).toBe(expected));

it.each([
  ["twenty-one", "21"],
  ["two million three thousand and forty five", "2003045"],
  ["three hundred", "300"],
  ["two point five", "2.5"],
  ["one half", "1"],
  ["007", "7"],
  ["-5", "-5"],
  ["thousand thousand", "thousand thousand"],
  ["thousand million", "thousand million"],
  ["no number", "no number"],
])("%s is %s", (words, number) => expect(wordsToNumber(words)).toBe(number));
