/**
 * Examples that come from the rows of the task themselves. The expected draws are those of Python's `random.Random(1234)`
 * with the rule of lm-eval's `ContextSampler.sample`: one more is drawn, and the row itself removed.
 */
import { describe, expect, it } from "vitest";
import { Prompts } from "../../src/eval/prompts.ts";
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

it("too few rows are refused", () => {
  expect(() => drawn("ab", 2)).toThrow("own: expected at least 3 rows to take examples from, got 2");
  expect(() => drawn("aab", 1 + 1)).toThrow("own: expected 2 other rows, got 1");
});
