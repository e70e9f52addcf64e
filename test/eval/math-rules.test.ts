/** Answers to mathematical problems, as lm-eval finds and judges them. */
import { expect, it } from "vitest";
import { MATH_RULES } from "../../src/eval/math/rules.ts";
import { DOC_PROCESSES } from "../../src/eval/process-docs.ts";
import { read } from "./fixtures.ts";

const fixture = read("math-answers.json");
const solution = (gold: string): string => fixture.solution.replace("GOLD", () => gold);

it("hendrycks_math: 235 answers and 16 whole texts", () => {
  const judged = (text: string, gold: string) => {
    const { answer, right } = MATH_RULES.hendrycks(text, DOC_PROCESSES.hendrycks.row({ solution: solution(gold) }));
    return [answer, Number(right)];
  };
  for (const [given, gold, answer, score] of fixture.hendrycks)
    expect([
      given,
      gold,
      ...judged(
        fixture.text.replace("ANSWER", () => given),
        gold,
      ),
    ]).toEqual([given, gold, answer, score]);
  for (const [text, gold, answer, score] of fixture.hendrycksTexts)
    expect([text, gold, ...judged(text, gold)]).toEqual([text, gold, answer, score]);
});

it("aime", () => {
  for (const [text, gold, score] of fixture.aimeTexts)
    for (const key of ["Answer", "answer"])
      expect([text, gold, Number(MATH_RULES.aime(text, { [key]: gold }).right)]).toEqual([text, gold, score]);
});
