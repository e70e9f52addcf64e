/** `nibble eval`: results and files in lm-eval's shapes, runs that go on, tasks of one's own, and wrong input. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { dataFolder } from "../eval/fixtures.ts";
import { nibble, nibbleJson, pathOf } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-eval-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const F32 = ["-m", pathOf("models/crumb"), "--kv", "f32", "-t", "1"];

it("results as lm-eval has them: a task, subtasks, and a group", async () => {
  const args = ["eval", "winogrande", "mmlu", "--num-fewshot", "0", "--data", dataFolder, ...F32];
  const { results, versions, ...counts } = await nibbleJson(args);
  expect(results).toEqual({
    winogrande: { alias: "winogrande", "acc,none": 0.375, "acc_stderr,none": expect.closeTo(0.18298126367784995, 12) },
    mmlu: { alias: "mmlu", "acc,none": expect.closeTo(1 / 3, 12), "acc_stderr,none": expect.any(Number) },
    mmlu_anatomy: {
      alias: "mmlu_anatomy",
      "acc,none": expect.closeTo(1 / 6, 12),
      "acc_stderr,none": expect.closeTo(1 / 6, 12),
    },
    mmlu_elementary_mathematics: expect.objectContaining({ "acc,none": 0.5 }),
  });
  expect(versions).toEqual({ winogrande: 1, mmlu_anatomy: 1, mmlu_elementary_mathematics: 1 });
  expect(counts["n-samples"]!.winogrande).toEqual({ original: 8, effective: 8 });
});

it("a run that was ended goes on, and ends with the same files", async () => {
  const run = (out: string) => ["eval", "gsm8k", "--num-fewshot", "1", "-n", "24", "--data", dataFolder, "-o", out];
  const [whole, cut] = [at("whole"), at("cut")];
  const files = (out: string) =>
    ["samples_gsm8k.jsonl", "results.json", "report.html"].map((name) => readFileSync(join(out, name), "utf8"));
  expect((await nibble(run(whole))).code).toBe(0);
  expect((await nibble([...run(cut)])).code).toBe(0);
  const [samples] = files(cut);
  const lines = samples!.trim().split("\n");
  expect(lines.length).toBe(2 * JSON.parse(files(cut)[1]!)["n-samples"].gsm8k.effective);
  // As if the process had been killed while it wrote: rows in another order, one filter of a row, half of a line.
  const half =
    [...lines.slice(4, 8), ...lines.slice(0, 3)].map((line) => `${line}\n`).join("") + lines[3]!.slice(0, 50);
  writeFileSync(join(cut, "samples_gsm8k.jsonl"), half);
  rmSync(join(cut, "results.json"));
  expect((await nibble(run(cut))).code).toBe(0);
  expect(files(cut)).toEqual(files(whole));
  const other = await nibble([...run(cut), "--temp", "1"]);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("it holds a run with other settings")]);
});

it("shards put together give the files of one run, byte for byte", async () => {
  const args = ["eval", "hellaswag", "gsm8k", "--num-fewshot", "0", "--limit", "7", "--data", dataFolder, "-n", "16"];
  const run = (out: string, ...more: string[]) => nibble([...args, "-o", at(out), ...more]);
  await run("one");
  await run("part1", "--shard", "1/3");
  await run("part2", "--shard", "2/3");
  await run("all", "--shard", "3/3", "--merge", at("part1"), "--merge", at("part2"));
  for (const name of ["results.json", "report.html", "samples_hellaswag.jsonl", "samples_gsm8k.jsonl"])
    expect(readFileSync(join(at("all"), name), "utf8"), name).toBe(readFileSync(join(at("one"), name), "utf8"));
});

it("several answers per question: their scores are averaged, and they differ where the temperature allows it", async () => {
  const args = [
    "eval",
    "gsm8k",
    "--num-fewshot",
    "0",
    "--limit",
    "2",
    "--data",
    dataFolder,
    "-n",
    "12",
    "--samples",
    "4",
  ];
  await nibble([...args, "--temp", "1", "-o", at("several")]);
  const [first] = readFileSync(join(at("several"), "samples_gsm8k.jsonl"), "utf8").split("\n");
  const { resps, filtered_resps: answers, exact_match } = JSON.parse(first!);
  expect([resps[0].length, answers.length]).toEqual([4, 4]);
  expect(new Set(resps[0]).size).toBeGreaterThan(1);
  expect([0, 0.25, 0.5, 0.75, 1]).toContain(exact_match);
});

it("crumb's own problems need no data", async () => {
  const { results } = await nibbleJson(["eval", "crumb-problems", "--limit", "20", ...F32]);
  const problems = readFileSync(pathOf("models/crumb/problems.jsonl"), "utf8").split("\n").slice(0, 20);
  const right = problems.filter((line) => JSON.parse(line).torch_right).length;
  expect(results["crumb-problems"]["exact_match,boxed"]).toBe(right / 20);
  // Also where a folder has only the data of other tasks.
  const both = await nibbleJson([
    "eval",
    "crumb-problems",
    "gsm8k",
    "--num-fewshot",
    "0",
    "--data",
    dataFolder,
    "--limit",
    "1",
    "-n",
    "4",
  ]);
  expect(both["n-samples"]!["crumb-problems"]).toEqual({ original: 500, effective: 1 });
});

it("samples in lm-eval's shape", async () => {
  await nibble(["eval", "boolq", "--limit", "2", "--data", dataFolder, "-o", at("boolq")]);
  const [first] = readFileSync(join(at("boolq"), "samples_boolq.jsonl"), "utf8").split("\n");
  expect(JSON.parse(first!)).toEqual({
    doc_id: 0,
    doc: expect.objectContaining({ question: "can penguins fly" }),
    target: "0",
    arguments: {
      gen_args_0: { arg_0: expect.stringMatching(/can penguins fly\?\nAnswer:$/), arg_1: " no" },
      gen_args_1: { arg_0: expect.any(String), arg_1: " yes" },
    },
    resps: [[[expect.stringMatching(/^-\d/), "False"]], [[expect.stringMatching(/^-\d/), "False"]]],
    filtered_resps: [
      [expect.any(String), "False"],
      [expect.any(String), "False"],
    ],
    filter: "none",
    metrics: ["acc"],
    doc_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    prompt_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    target_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    acc: expect.any(Number),
    gold: 0,
  });
});

describe("a task of one's own", () => {
  const task = {
    task: "sums",
    output_type: "generate_until",
    doc_to_text: "{{question}}",
    doc_to_target: "{{answer}}",
    generation_kwargs: { until: ["\n"], max_gen_toks: 8 },
    metrics: ["exact_match"],
  };
  const write = (fields: object) => writeFileSync(at("sums.json"), JSON.stringify({ ...task, ...fields }));
  writeFileSync(at("sums.jsonl"), '{"question":"1+1=","answer":"2"}\n{"question":"2+2=","answer":"4"}\n');
  const run = () => nibble(["eval", "--task", at("sums.json"), "--data", at("sums.jsonl"), "--json"]);

  it("runs", async () => {
    write({});
    const { results } = JSON.parse((await run()).stdout);
    expect(results.sums).toMatchObject({ alias: "sums", "exact_match,none": expect.any(Number) });
  });

  it.each<[object, RegExp]>([
    [{ metric: [] }, /sums\.json\.metric: unknown field; did you mean metrics\?/],
    [{ doc_to_text: "{{" }, /sums\.json\.doc_to_text: /],
    [{ metrics: ["acc"] }, /sums\.json\.metrics: expected some of exact_match/],
    [{ generation_kwargs: {} }, /generation_kwargs\.until: /],
    [{ filter_list: [{ name: "a", regex: "(" }] }, /filter_list\[0\]\.regex: expected a regular expression/],
    [{ output_type: "multiple_choice" }, /doc_to_choice: /],
    [{ num_fewshot: 3 }, /sums: expected at least 3 rows to take examples from, got 0/],
  ])("%j is refused", async (fields, message) => {
    write(fields);
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});

describe("wrong input", () => {
  appendFileSync(at("bad.jsonl"), '{"question":"a"}\n{oops\n');
  // A folder of links that lead nowhere.
  mkdirSync(at("links"));
  symlinkSync(at("links/circle"), at("links/circle"));
  symlinkSync(at("links/missing"), at("links/dangling"));
  it.each<[string[], number, RegExp]>([
    [[], 2, /a task is required/],
    [["arc_eas"], 2, /arc_eas: there is no such task .*; did you mean arc_easy\?/],
    [["arc_easy", "--offline"], 1, /give by --data a folder with arc_easy\.jsonl, the split test of allenai\/ai2_arc/],
    [["arc_easy", "--data", at("links")], 1, /expected arc_easy\.jsonl/],
    [["arc_easy", "--data", "/nowhere.jsonl"], 1, /\/nowhere\.jsonl/],
    [["arc_easy", "--data", at("bad.jsonl")], 1, /bad\.jsonl, line 2: /],
    [["humaneval", "--data", dataFolder], 2, /humaneval: it requires --run-code, because it runs the programs/],
    [["gsm8k", "--data", dataFolder, "--start-date", "2024-01-01"], 2, /--start-date: the rows of gsm8k have no date/],
    [
      ["livecodebench", "--run-code", "--data", dataFolder, "--end-date", "2024-13-01"],
      2,
      /--end-date: expected a date/,
    ],
    [["livecodebench", "--run-code", "--data", dataFolder, "--start-date", "2030-01-01"], 1, /no row is of 2030-01-01/],
    [["gsm8k", "--data", dataFolder, "--shard", "3/2"], 2, /--shard: expected I\/N, such as 1\/4/],
    [["gsm8k", "--data", dataFolder, "-n", "5000"], 1, /an answer may have 5000 tokens, and the context holds 1024/],
  ])("eval %j", async (args, code, message) => {
    const result = await nibble(["eval", ...args]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});
