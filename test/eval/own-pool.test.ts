/**
 * Examples that come from the rows of the task themselves. The expected draws are those of Python's `random.Random(1234)`
 * with the rule of lm-eval's `ContextSampler.sample`: one more is drawn, and the row itself removed.
 */
import { describe, expect, it } from "vitest";
import { Prompts } from "../../src/eval/prompts.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { runsOf } from "../../src/eval/runs.ts";
import type { Row, Task } from "../../src/eval/task.ts";

const task: Task = {
  task: "own",
  version: 0,
  dataset_path: "",
  test_split: "test",
  output_type: "generate_until",
  doc_to_text: "{{q}}",
  doc_to_target: "{{q}}!",
  metrics: ["exact_match"],
};
const drawn = (texts: string, shots: number, more: Partial<Task> = {}): (readonly number[])[] => {
  const rows: Row[] = [...texts].map((q) => ({ q }));
  const prompts = new Prompts({ ...task, ...more }, { shots, pool: rows, poolRows: rows });
  return rows.map((row) => prompts.question(row).drawn);
};

describe("a row is no example of its own", () => {
  it.each<[string, string, number[][]]>([
    [
      "different rows",
      "abcdef",
      [
        [3, 4],
        [0, 4],
        [5, 0],
        [2, 1],
        [0, 5],
        [4, 3],
      ],
    ],
    [
      "equal rows",
      "aaabcd",
      [
        [3, 4],
        [4, 5],
        [5, 4],
        [2, 1],
        [0, 5],
        [4, 3],
      ],
    ],
  ])("%s", (_, texts, expected) => {
    expect(drawn(texts, 2)).toEqual(expected);
  });
  it("the first rows", () => {
    expect(drawn("abc", 2, { fewshot_sampler: "first_n" })).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
  });
});

describe("what lm-eval 0.4.13 draws for its own tasks, three examples for each of four rows", () => {
  const letters = [..."abcdefghijkl"];
  const choices = { text: ["yes", "no"], label: ["A", "B"] };
  const texts = { question: "Is it?", passage: "It is.", problem: "1+1", solution: "$\\boxed{2}$" };
  const rowsOf = (names: readonly string[]): Row[] =>
    names.map((id) => ({
      id,
      ...texts,
      choices,
      answerKey: "A",
      label: 1,
      answer: "1",
      sentence: "A _ b.",
      option1: id,
    }));
  const THREE_OF_TWELVE = [
    [7, 1, 0],
    [1, 9, 0],
    [10, 1, 11],
    [5, 3, 0],
  ];
  it.each<[string, number[][], boolean]>([
    // Without a test split and a split of examples, both are "none", and lm-eval takes them for the same.
    ...["boolq", "winogrande"].map((name): [string, number[][], boolean] => [
      name,
      [
        [7, 1, 0],
        [9, 0, 1],
        [5, 3, 0],
        [0, 5, 9],
      ],
      false,
    ]),
    ["arc_easy", THREE_OF_TWELVE, false],
    // The examples are rows of the task, which are not removed where they are the row itself.
    ["hendrycks_math500", THREE_OF_TWELVE, true],
  ])("%s", (name, expected, isOwn) => {
    const rows = rowsOf(isOwn ? letters : ["1", "2", "3", "4"]);
    const pool = isOwn ? rows : rowsOf(letters);
    const [run] = runsOf(TASKS.get(name)!, { rows, pool, shots: 3, chat: undefined });
    const prompts = new Prompts(run!.task, run!.prompts);
    const build = (row: Row) =>
      run!.task.output_type === "multiple_choice" ? prompts.choices(row) : prompts.question(row);
    expect(run!.rows.slice(0, 4).map((row) => build(row).drawn)).toEqual(expected);
  });
});

it("too few rows are refused", () => {
  expect(() => drawn("ab", 2)).toThrow("own: expected at least 3 rows to take examples from, got 2");
  expect(() => drawn("aab", 1 + 1)).toThrow("own: expected 2 other rows, got 1");
});
