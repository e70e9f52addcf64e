/** Answers of `minerva_math500` as lm-eval finds, rewrites and compares them, with sympy for those that differ as texts. */
import { expect, it } from "vitest";
import { compareMinerva, minervaAnswer, minervaForm } from "../../src/eval/math/minerva.ts";
import { MATH_RULES } from "../../src/eval/math/rules.ts";
import { read } from "./fixtures.ts";

const { text, pairs, texts } = read("minerva-answers.json");

it("235 answers in a sentence, and 18 whole texts", () => {
  const whole = pairs.map(([answer, ...rest]: string[]) => [text.replace("ANSWER", () => answer), ...rest]);
  const formed = texts.map(([one, gold, answer, score]: string[]) => [one, gold, answer, minervaForm(gold!), score]);
  for (const [one, gold, answer, goldForm, score] of [...whole, ...formed]) {
    const form = minervaForm(gold);
    const verdict = MATH_RULES.minerva(one, { answer: form });
    expect([one, verdict.answer, form, Number(verdict.right), verdict.undecided]).toEqual([
      one,
      answer,
      goldForm,
      score,
      false,
    ]);
  }
});

it("what the words around an answer must be", () => {
  expect(minervaAnswer("Final Answer: The final answer is $5$. I hope it is correct.")).toBe("$5$");
  expect(minervaAnswer("Final Answer: The final answer is $5$. ")).toBe("$5$");
  expect(minervaAnswer("Final Answer: The final answer is $5$.")).toBe("[invalidanswer]");
});

it("long answers, as models that repeat themselves write them, take little time", () => {
  const long = ["x".repeat(50_000), "9".repeat(50_000), "(".repeat(50_000), "|x".repeat(20_000), "2^{".repeat(20_000)];
  for (const answer of long)
    expect(
      MATH_RULES.minerva(
        text.replace("ANSWER", () => answer),
        { answer: "5" },
      ).right,
    ).toBe(false);
  expect(MATH_RULES.minerva(text.replace("ANSWER", "9^{9^{9^{9}}}"), { answer: "5" }).right).toBe(false);
  expect(MATH_RULES.r1(`\\boxed{${"1 or ".repeat(20_000)}}`, { gold: "5" }).right).toBe(false);
});

// Verdicts of sympy 1.14 through lm-eval's `is_equiv`, but the last, which it finds equal.
it.each([
  ["1,2", "1,3", "equal"],
  ["5or6", "30ro", "equal"],
  ["\\sqrt{x^2}", "x", "different"],
  ["\\frac{1-\\cos2x}{2}", "\\sin^2x", "equal"],
  ["x(x+1)", "x^2+x", "different"],
  ["(x+1)x", "x^2+x", "equal"],
  ["\\binom{10}{3}", "120", "equal"],
  ["(n+1)!", "(n+1)n!", "equal"],
  ["\\log_2{3}", "\\frac{\\log3}{\\log2}", "equal"],
  ["999999999999999999999", "1000000000000000000000", "different"],
  ["2^{2000}", "2\\cdot2^{1999}", "equal"],
  ["\\sum_{k=1}^{n}k", "\\frac{(n+1)n}{2}", "equal"],
  ["007", "7", "different"],
  ["\\frac{1}{0}", "5", "different"],
  ["x<5", "5>x", "different"],
  ["\\left(\\infty\\right)", "\\infty", "different"],
  ["\\int_0^1x dx", "\\frac{1}{2}", "undecided"],
])("%s and %s are %s", (a, b, expected) => expect(compareMinerva(a, b)).toBe(expected));
