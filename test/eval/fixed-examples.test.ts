/** Tasks whose examples are fixed texts: from an installed lm-eval (here a folder of its shape), a file, or the data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fixedExamples } from "../../src/cli/eval/fewshot.ts";
import { returnedLiteral } from "../../src/cli/eval/python-literal.ts";
import { Prompts } from "../../src/eval/prompts.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { runsOf } from "../../src/eval/runs.ts";
import type { Row } from "../../src/eval/task.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tasks = join(folder, "venv/lib/python3.11/site-packages/lm_eval/tasks");
const write = (path: string, text: string): void => {
  mkdirSync(join(tasks, path, ".."), { recursive: true });
  writeFileSync(join(tasks, path), text);
};
write("mmlu/README.md", "");
write(
  "gsm8k/gsm8k-cot.yaml",
  `task: gsm8k_cot
fewshot_config:
  sampler: first_n
  samples:
  - question: How much is
      1 + 1?
    target: 'It is 2. The answer is 2.'
  - {question: "And 2 + 2?", target: "The answer is 4."}
generation_kwargs:
  until: ['Q:', </s>, <|im_end|>]
`,
);
write("minerva_math/minerva_math_algebra.yaml", "process_docs: !function utils.process_docs\ninclude: base.yaml\n");
write("minerva_math/base.yaml", "fewshot_config:\n  samples: !function utils.shots\n");
write(
  "minerva_math/utils.py",
  `import os
def other(): return 1
def shots() -> list[dict]:
    return [
        {  # the first
            "problem": "Find $\\\\frac{2}{4}$.",
            "solution": "It is \\\\boxed{\\\\frac12}.\\n"
            'Final Answer: The final answer is $\\\\frac12$. I hope it is correct.',
            "few_shot": "1",
        },
        dict_like := None,
    ]
`.replace("        dict_like := None,\n", ""),
);

async function prompt(name: string, row: Row, from: string | undefined, pool: Row[] = []): Promise<string> {
  const task = TASKS.get(name)!;
  const [fixed = pool] = await fixedExamples([task], from);
  const [run] = runsOf(task, { rows: [row], pool: fixed, shots: fixed.length, chat: undefined });
  return new Prompts(task, run!.prompts).question(run!.rows[0]!).context;
}

describe("an installed lm-eval", () => {
  const places = ["venv", "venv/lib/python3.11/site-packages", "venv/lib/python3.11/site-packages/lm_eval"];
  it.each([...places, "venv/lib/python3.11/site-packages/lm_eval/tasks"])("at %s", async (place) => {
    expect(await prompt("gsm8k_cot", { question: "Q?", answer: "so\n#### 7" }, join(folder, place))).toBe(
      "Q: How much is 1 + 1?\nA: It is 2. The answer is 2.\n\nQ: And 2 + 2?\nA: The answer is 4.\n\nQ: Q?\nA:",
    );
  });

  it("a list in a Python file, which is read and not run", async () => {
    const row = { problem: "P", solution: "So \\boxed{5}." };
    expect(await prompt("minerva_math500", row, join(folder, "venv"))).toBe(
      "Problem:\nFind $\\frac{2}{4}$.\n\nSolution: It is \\boxed{\\frac12}.\nFinal Answer: The final answer is $\\frac12$. I hope it is correct.\n\nProblem:\nP\n\nSolution:",
    );
  });

  it("is refused where it is none, or where no task has fixed examples", async () => {
    await expect(prompt("gsm8k_cot", { question: "Q?" }, folder)).rejects.toThrow(/holds no lm_eval\/tasks/);
    await expect(prompt("gsm8k_cot", { question: "Q?" }, "/nowhere")).rejects.toThrow(/there is no \/nowhere/);
    await expect(prompt("arc_easy", {}, join(folder, "venv"))).rejects.toThrow(/none of these tasks has examples/);
  });
});

describe("a task file", () => {
  it.each([
    ["no YAML", "fewshot_config: [", /broken\.yaml: /],
    ["no mapping", "- a", /broken\.yaml: expected a task file of lm-eval/],
    ["nothing", "", /broken\.yaml: /],
    ["without examples", "fewshot_config:", /broken\.yaml: expected a list of examples/],
    ["that includes itself", "include: ./broken.yaml", /broken\.yaml: it includes itself/],
  ])("with %s is refused", async (_, text, message) => {
    write("broken.yaml", text);
    const failure = { code: "bad_value", message: expect.stringMatching(message) };
    await expect(prompt("gsm8k_cot", { question: "Q?" }, join(tasks, "broken.yaml"))).rejects.toMatchObject(failure);
  });
});

describe("the data's own rows", () => {
  it("of GSM8K get the words by which an answer is found", async () => {
    const pool = [{ question: "1+1?", answer: "One and one is <<1+1=2>>2.\nThat is all.\n#### 2" }];
    expect(await prompt("gsm8k_cot", { question: "Q?", answer: "#### 7" }, undefined, pool)).toBe(
      "Q: 1+1?\nA: One and one is 2. That is all. The answer is 2.\n\nQ: Q?\nA:",
    );
  });

  it("of MATH likewise", async () => {
    const pool = [{ problem: "1+1?", solution: "It is $\\boxed{2}$.", level: "Level 1" }];
    expect(await prompt("minerva_math500", { problem: "P", solution: "\\boxed{5}" }, undefined, pool)).toBe(
      "Problem:\n1+1?\n\nSolution: It is $\\boxed{2}$.\nFinal Answer: The final answer is $2$. I hope it is correct.\n\nProblem:\nP\n\nSolution:",
    );
  });

  it("without the right answer are refused", async () => {
    await expect(prompt("minerva_math500", { problem: "P", solution: "5" }, undefined)).rejects.toThrow(
      /expected \\boxed\{\.\.\.\} in the solution/,
    );
  });
});

describe("literals of Python", () => {
  it.each<[string, unknown]>([
    [
      `{"a": 'b\\x41\\u00e9', 'c': [1, -2.5, True, None,], "d": ("x",), "e": ("y" r'\\n')}`,
      { a: "bAé", c: [1, -2.5, true, null], d: ["x"], e: "y\\n" },
    ],
    [`"""two\nlines""" 'more'`, "two\nlinesmore"],
    [`(\n  # nothing\n  [])`, []],
  ])("%s", (text, value) => expect(returnedLiteral(`def f():\n    return ${text}\n`, "f", "x.py")).toEqual(value));

  it.each([["f()"], ["[1 + 1]"], ["{'a': os.sep}"], ["f'{x}'"], ["'open"]])("%s is refused", (text) =>
    expect(() => returnedLiteral(`def f():\n    return ${text}\n`, "f", "x.py")).toThrow(/x\.py, line 2: expected/),
  );
});
