/** Programs in answers, the tests of LiveCodeBench, and pass@k, as lm-eval and LiveCodeBench have them. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { privateTests } from "../../src/eval/code/livecodebench.ts";
import { passAtK } from "../../src/eval/code/pass-at-k.ts";
import { readPickledString } from "../../src/eval/code/pickle.ts";
import { CODE_RULES } from "../../src/eval/code/rules.ts";
import { evaluate } from "../../src/eval/evaluate.ts";
import { meanOf } from "../../src/eval/metrics.ts";
import { Prompts } from "../../src/eval/prompts.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { read, renderChat, rowsOf, setUp } from "./fixtures.ts";

const programs = read("programs.json");

it("pass@k: exact fractions", () => {
  const { tasks, cases } = read("pass-at-k.json");
  for (const { n, c, k, pass } of cases) expect([n, c, k, passAtK(n, c, k)]).toEqual([n, c, k, pass]);
  for (const k of [1, 2, 5]) {
    const each = tasks.nc.map(([n, c]: [number, number]) => passAtK(n, c, k));
    expect(meanOf(each).mean).toBeCloseTo(tasks[`pass@${k}`], 14);
  }
});

describe("programs in answers", () => {
  it.each([
    ["humaneval_instruct", "humanevalInstruct", "program"],
    ["mbpp_instruct", "mbppInstruct", "code"],
    ["livecodebench", "livecodebench", "code"],
  ] as const)("%s", (rule, key, field) => {
    const rows = rowsOf("humaneval.jsonl");
    for (const { row, kind, output, [field]: expected } of programs[key])
      expect([kind, CODE_RULES[rule].program(output, rows[row]!)]).toEqual([kind, expected]);
  });
});

it("white space around the blocks of a task's template stays, as in lm-eval", () => {
  const task = {
    ...TASKS.get("humaneval")!,
    doc_to_text: "a\n  {% if true %}\nb{% endif %}{% raw %}{{\n{% endraw %}\nc\n",
  };
  expect(new Prompts(task, { shots: 0, pool: [] }).question({ test: "", entry_point: "" }).context).toBe(
    "a\n  \nb{{\n\nc\n",
  );
});

it("LiveCodeBench's prompts", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const { rows, prompts } = setUp({ task: "livecodebench", shots: 0, chat: true });
  const docs: { doc: number; systemSha256: string; userSha256: string; contextSha256: string }[] =
    read("requests/livecodebench.json");
  expect(docs).toHaveLength(rows.length);
  for (const { doc, ...hashes } of docs) {
    const { context, messages } = prompts.question(rows[doc]!);
    const [system, user] = messages!.map(({ content }) => sha256(content!));
    expect({ systemSha256: system, userSha256: user, contextSha256: sha256(context) }).toEqual(hashes);
  }
});

describe("examples of programs", () => {
  const pool = [
    { text: "Add.", code: "def add(a, b):\n  return a + b", test_list: ["assert 1", "assert 2", "assert 3"] },
  ];
  const row = { text: "Halve.", code: "", test_list: ["a", "b", "c"] };
  const ask = (text: string, tests: string) =>
    `You are an expert Python programmer, and here is your task: ${text} Your code should pass these tests:\n\n${tests}\n[BEGIN]\n`;
  const askInstruct = (text: string, tests: string) =>
    `You are an expert Python programmer, and here is your task:\n${text}\nYour code should pass these tests:\n${tests}`;

  it("mbpp: no space before an example's answer", () => {
    const prompts = new Prompts(TASKS.get("mbpp")!, { shots: 1, pool });
    const shot = `${ask("Add.", "assert 1\nassert 2\nassert 3")}${pool[0]!.code}\n[DONE]\n\n`;
    expect(prompts.question(row).context).toBe(shot + ask("Halve.", "a\nb\nc"));
  });

  it("mbpp_instruct: every answer begins with the fence, also as a turn", () => {
    const task = TASKS.get("mbpp_instruct")!;
    const question = askInstruct("Halve.", "a\nb\nc");
    const example = askInstruct("Add.", "assert 1\nassert 2\nassert 3");
    const answer = `\n\`\`\`python\n${pool[0]!.code}\n\`\`\``;
    expect(new Prompts(task, { shots: 1, pool }).question(row).context).toBe(
      `${example}${answer}\n\n${question}\n\`\`\`python\n`,
    );
    const chat = { render: renderChat, shotsAsTurns: true };
    expect(new Prompts(task, { shots: 1, pool, chat }).question(row).messages).toEqual([
      { role: "user", content: example },
      { role: "assistant", content: answer },
      { role: "user", content: question },
      { role: "assistant", content: "\n```python\n" },
    ]);
  });
});

describe("private tests of LiveCodeBench", () => {
  const cases: { encoded: string; json?: string | null; text?: string; error?: string }[] = programs.privateTests;
  it.each(cases)("$#: $encoded", async ({ encoded, json, text, error }) => {
    if (typeof json === "string") expect(await privateTests(encoded)).toBe(json);
    else if (json === null) expect(await privateTests(encoded)).toHaveLength(70_000);
    else if (text !== undefined) expect(await privateTests(encoded)).toBe(text);
    else await expect(privateTests(encoded), error).rejects.toThrow();
  });

  const bytes = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));

  it.each<[string, Uint8Array, RegExp]>([
    ["a call", bytes("\x80\x04\x8c\x05posix\x8c\x06system\x93."), /second string/],
    ["a function's name", bytes("cos\nsystem\n(S'id'\ntR."), /opcode GLOBAL at byte 0/],
    ["a call of what is on the stack", bytes("\x80\x02X\x01\0\0\0a)R."), /opcode EMPTY_TUPLE at byte 8/],
    ["a persistent id", bytes("Pabc\n."), /opcode PERSID/],
    ["bytes", bytes("\x80\x03C\x01a."), /opcode SHORT_BINBYTES/],
    ["an unknown opcode", bytes("\x80\x04\xff."), /opcode 0xff at byte 2/],
    ["a second string", bytes("\x8c\x01a\x8c\x01b."), /a second string at byte 3/],
    ["no string", bytes("\x80\x04."), /ends without a string/],
    ["more after the end", bytes("\x8c\x01a.x"), /1 bytes follow its end/],
    ["a later protocol", bytes("\x80\x06\x8c\x01a."), /expected protocol 0 to 5, got 6/],
    [
      "a length beyond the end",
      bytes("\x8d", [255, 255, 255, 255, 255, 255, 255, 127], "a."),
      /expected \d+ bytes at 9, got 2/,
    ],
    ["not UTF-8", bytes("\x8c\x01\xff."), /not UTF-8/],
    ["a wrong escape", bytes("V\\x41\np0\n."), /a backslash that escapes no character/],
    ["nothing", bytes(), /expected 1 bytes at 0, got 0/],
  ])("refused: %s", (_, pickle, message) => {
    expect(() => readPickledString(pickle)).toThrow(message);
  });

  it("escapes of protocol 0", () => {
    expect(readPickledString(bytes("V\\u000a\xe9\\U0001f600\\u005cn\np0\n."))).toBe("\n\u00e9\u{1f600}\\n");
  });

  it("a stream that grows without end is refused", async () => {
    const bomb = deflateSync(Buffer.alloc(2 ** 28 + 1)).toString("base64");
    await expect(privateTests(bomb)).rejects.toThrow(/more than 268435456 bytes after decompression/);
  });
});

it("without a runner, no answer is generated", async () => {
  const run = { name: "humaneval", task: TASKS.get("humaneval")!, rows: [{}], prompts: { shots: 0, pool: [] } };
  const backend = new Proxy({} as never, { get: (_, key) => expect.fail(`used ${String(key)}`) });
  await expect(evaluate(backend, run, {}).next()).rejects.toThrow(/humaneval: it runs programs/);
});
