/** Groups, and the figures of the model card beside our results. */
import { expect, it } from "vitest";
import { table } from "../../src/cli/eval/report.ts";
import { cardFigure } from "../../src/eval/card.ts";
import { GROUPS, meansOf, TASKS, tasksOf } from "../../src/eval/registry.ts";
import { taskResults } from "../../src/eval/results.ts";

it("members of groups exist", () => {
  for (const name of GROUPS.keys()) for (const task of tasksOf(name)!) expect(TASKS.has(task.task)).toBe(true);
  expect(tasksOf("nothing")).toBeUndefined();
});

it("the card's first table asks MMLU with five examples, and reports the mean of the commonsense tasks", () => {
  const tasks = tasksOf("r1-base")!;
  expect(tasks.find(({ task }) => task === "mmlu")!.num_fewshot).toBe(5);
  expect(tasks.map(({ task }) => task)).toEqual(expect.arrayContaining(["minerva_math500", "gsm8k_cot", "winogrande"]));
  expect(meansOf(["r1-base", "gsm8k"])).toEqual(["commonsense"]);
});

it.each<[string[], string, string, number | undefined]>([
  [["smollm2-135m-instruct-q4_1"], "math500_r1", "exact_match", 0.03],
  [["/models/x.gguf", "SmolLM2 135M Instruct"], "gsm8k_r1", "exact_match", 0.024],
  [["hf/facebook/MobileLLM-R1-140M"], "math500_r1", "exact_match", 0.062],
  [["MobileLLM-R1-140M-base"], "gsm8k_cot", "exact_match", 0.163],
  [["gemma-3-270m-q4_k_m"], "commonsense", "acc", 0.484],
  [["Qwen3-0.6B-Base-IQ4_XS.gguf"], "mmlu", "acc", 0.524],
  // The card gives no MMLU below 150 million parameters, and no figure of another protocol.
  [["SmolLM2-135M"], "mmlu", "acc", undefined],
  [["SmolLM2-135M"], "commonsense", "acc_norm", undefined],
  [["SmolLM2-135M-Instruct"], "minerva_math500", "exact_match", undefined],
  [["Qwen3-0.6B"], "mmlu", "acc", undefined],
  [["crumb"], "gsm8k_r1", "exact_match", undefined],
])("%j, %s, %s: %s", (names, task, metric, figure) => {
  if (figure === undefined) expect(cardFigure(names, task, metric)).toBeUndefined();
  else expect(cardFigure(names, task, metric)).toBeCloseTo(figure, 12);
});

it("several answers to each question: the interval of their mean, and what was not decided", () => {
  const scored = (id: number, share: number, undecided: number) => ({
    id,
    filter: "none",
    metrics: { exact_match: share, ...(undecided > 0 && { undecided }) },
    answers: 5,
  });
  const results = taskResults("aime24_r1", [scored(0, 0.4, 0), scored(1, 1, 2), scored(2, 0, 1)]);
  // Of the first question alone answers differ: 0.4 * 0.6 / 4 is its variance.
  const half = (1.959964 * Math.sqrt(0.06)) / 3;
  expect(results["exact_match_ci95_low,none"]).toBeCloseTo(1.4 / 3 - half, 9);
  expect(results["exact_match_ci95_high,none"]).toBeCloseTo(1.4 / 3 + half, 9);
  expect(results["undecided,none"]).toBe(3);
  const report = { results: { aime24_r1: results }, versions: {}, "n-shot": {}, "n-samples": {} };
  expect(table(report, [])).toMatch(
    /error +95 %\n.*0\.4667 +0\.2906 +0\.3066 to 0\.6267\naime24_r1 +undecided +none +3\n$/,
  );
  expect(Object.keys(taskResults("a", [{ id: 0, filter: "none", metrics: { exact_match: 1 } }]))).toEqual([
    ...["alias", "exact_match,none", "exact_match_stderr,none"],
  ]);
});

it("the table has a column for the card where the model is one of its rows", () => {
  const report = {
    results: { gsm8k_r1: { alias: "gsm8k_r1", "exact_match,none": 0.05, "exact_match_stderr,none": 0.01 } },
    versions: { gsm8k_r1: 1 },
    "n-shot": { gsm8k_r1: 0 },
    "n-samples": { gsm8k_r1: { original: 1319, effective: 100 } },
  };
  expect(table(report, ["SmolLM2-135M-Instruct"])).toMatch(/error +card\n.* 0\.0500 +0\.0100 +0\.024\n$/);
  expect(table(report, ["crumb"])).not.toMatch(/card/);
});
