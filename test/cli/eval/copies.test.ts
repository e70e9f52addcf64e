/** Data sets as their copies on the hub name and lay out the fields. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readData } from "../../../src/cli/eval/data.ts";
import { Prompts } from "../../../src/eval/prompts.ts";
import { TASKS } from "../../../src/eval/registry.ts";
import { runsOf } from "../../../src/eval/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-eval-copies-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** The prompt and the target of the first row. */
async function first(name: string, row: object | string) {
  const data = typeof row === "string" ? row : at(`${name}.jsonl`);
  if (typeof row !== "string") writeFileSync(data, JSON.stringify(row));
  const task = TASKS.get(name)!;
  const read = await readData(task, { data, shots: 0, pool: undefined });
  const chat = {
    render: (messages: readonly { content?: unknown }[]) => `${messages[0]!.content}`,
    shotsAsTurns: true,
  };
  const [run] = runsOf(task, { ...read, shots: 0, chat: task.apply_chat_template ? chat : undefined });
  const prompts = new Prompts(task, run!.prompts);
  if (task.output_type === "generate_until") {
    const { context, target } = prompts.question(run!.rows[0]!);
    return [context, target];
  }
  const { pairs, target } = prompts.choices(run!.rows[0]!);
  return [pairs[0]![0], target];
}

describe.each([
  ["aime", "Question: 1+1?\nAnswer:"],
  ["aime24", "Question: 1+1?\nAnswer:"],
  ["aime25", "Question: 1+1?\nAnswer:"],
  ["aime24_r1", "1+1?"],
  ["aime25_r1", "1+1?"],
])("%s", (name, context) => {
  it.each([
    { ID: "2024-I-1", Problem: "1+1?", Solution: "It is 2.", Answer: 2 },
    { id: 60, problem: "1+1?", solution: "It is 2.", answer: "2", url: "", year: "2024" },
    { question: "1+1?", answer: "2" },
    { id: 60, problem: "1+1?", solution: "\\boxed{2}", url: "" },
    { id: 60, problem: "1+1?", solution: "One more than \\boxed{1} is \\boxed{2}.", url: "" },
    { ID: "2024-I-1", Year: 2024, "Problem Number": 1, Question: "1+1?", Answer: "2", Part: "I" },
  ])("%j", async (row) => expect(await first(name, row)).toEqual([context, "2"]));
  it("other fields, and a solution without a box, are refused by name", async () => {
    await expect(first(name, { problem: "1+1?", solution: "It is 2." })).rejects.toThrow(
      /expected rows with the fields .*[aA]nswer, got problem, solution/,
    );
    await expect(first(name, { task: "1+1?", answer: "2" })).rejects.toThrow(
      /expected rows with the fields .*, got task, answer/,
    );
  });
});

it("MATH with the answer in the solution alone, which counts before the field `answer`", async () => {
  const row = { problem: "1+1?", level: "Level 1", type: "Algebra", solution: "It is $\\boxed{2}$." };
  for (const copy of [row, { ...row, answer: "two" }])
    expect(await first("hendrycks_math500", copy)).toEqual(["Problem: 1+1?\nAnswer:", "2"]);
  expect((await first("minerva_math500", row))[1]).toBe("2");
  expect((await first("math500_r1", row))[1]).toBe("2");
});

it("MBPP, sanitized", async () => {
  const tests = ["assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3"];
  const row = { source_file: "x", task_id: 2, prompt: "Return it.", code: "", test_imports: [], test_list: tests };
  const [context, target] = await first("mbpp", row);
  expect(context).toBe(
    `You are an expert Python programmer, and here is your task: Return it. Your code should pass these tests:\n\n${tests.join("\n")}\n[BEGIN]\n`,
  );
  expect(target).toBe(tests.join("\n"));
});

it("BoolQ with answers that are true or false", async () => {
  for (const [answer, index] of [
    [true, 1],
    [false, 0],
  ])
    expect(await first("boolq", { question: "is it", passage: "It is.", answer })).toEqual([
      "It is.\nQuestion: is it?\nAnswer:",
      index,
    ]);
});

it("PIQA and Social IQa with labels in a file of their own", async () => {
  const write = (name: string, rows: readonly object[], labels: string) => {
    writeFileSync(at(`${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    writeFileSync(at(`${name}-labels.lst`), labels);
  };
  const row = { goal: "Go.", sol1: "By foot.", sol2: "By air." };
  write("dev", [row, row], "1\r\n0\n");
  expect(await first("piqa", at("dev.jsonl"))).toEqual(["Question: Go.\nAnswer:", 1]);
  write("social_iqa", [{ context: "A", question: "B", answerA: "C", answerB: "D", answerC: "E" }], "3");
  expect(await first("social_iqa", folder)).toEqual(["Q: A B\nA:", 2]);
  write("dev", [row, row], "1\n");
  await expect(first("piqa", at("dev.jsonl"))).rejects.toThrow(/dev-labels\.lst: expected 2 lines, .*, got 1/);
});
