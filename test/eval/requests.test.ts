/** Prompts, examples and answers, character by character as lm-eval has them. */
import { describe, expect, it } from "vitest";
import { findAnswer, isExactMatch } from "../../src/eval/answers.ts";
import { PythonRandom } from "../../src/eval/python-random.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { CHOICE_TASKS, read, setUp, type Variant } from "./fixtures.ts";

it("examples are drawn as Python's random.sample does it", () => {
  const cases: { pool: number; shots: number; draws: number[][] }[] = read("draws.json");
  expect(cases.length).toBeGreaterThan(5);
  for (const { pool, shots, draws } of cases) {
    const random = new PythonRandom(1234);
    for (const drawn of draws) expect(random.sample(pool, shots)).toEqual(drawn);
  }
});

interface ChoiceDoc {
  doc: number;
  target: number;
  lengths: number[];
  context?: string;
  continuations?: string[];
  pairs?: [string, string][];
}

describe.each(CHOICE_TASKS)("%s", (name) => {
  const variants: (Variant & { docs: ChoiceDoc[] })[] = read(`requests/${name}.json`);
  it.each(variants)("$task, $shots shots, chat $chat", (variant) => {
    const { rows, prompts } = setUp(variant);
    for (const { doc, target, lengths, context, continuations, pairs } of variant.docs) {
      const expected = pairs ?? continuations!.map((text) => [context, text]);
      expect(prompts.choices(rows[doc]!)).toMatchObject({ pairs: expected, lengths, target });
    }
  });
});

describe("generated answers", () => {
  const variants: (Variant & { docs: { doc: number; target: string; context: string; drawn?: number[] }[] })[] = [
    ...["gsm8k", "math500", "aime", "humaneval", "mbpp"].flatMap((name) => read(`requests/${name}.json`)),
  ];
  it.each(variants)("$task, $shots shots, chat $chat", (variant) => {
    const { rows, prompts } = setUp(variant);
    for (const { doc, target, context, drawn = [] } of variant.docs)
      expect(prompts.question(rows[doc]!)).toMatchObject({ context, target, drawn });
  });

  it.each([
    ["gsm8k", "gsm8k"],
    ["gsm8k_cot_zeroshot", "gsm8k_cot"],
  ])("answers of %s", (name, key) => {
    const { filter_list, exact_match } = TASKS.get(name)!;
    const cases: Record<string, never>[] = read("gsm8k-answers.json");
    for (const { text, gold, [key]: expected } of cases)
      for (const filter of filter_list!) {
        const answer = findAnswer(text!, filter);
        const score = Number(isExactMatch(answer, gold!, exact_match));
        expect([text, answer, score]).toEqual([text, ...(expected![filter.name] as [])]);
      }
  });
});
