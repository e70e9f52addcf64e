/**
 * `nibble bench`: measures and reports tokens per second as llama-bench does.
 * @module
 */
import { nodeHost } from "../../hosts/node/host.ts";
import { loadExecutor } from "../../load/executor.ts";
import { describeModel } from "../../models/index.ts";
import { type Command, defineCommand } from "../command.ts";
import { missing, number, numbers, UsageError } from "../flags.ts";
import { factsOf, resultsTable, testResult } from "../llama-bench.ts";
import {
  DEFAULT_MODEL,
  givenModel,
  isModel,
  jsonFlag,
  loading,
  modelFlag,
  offlineFlag,
  runtimeFlags,
  runtimeOptions,
  withCheckpoint,
} from "../model.ts";
import { printJson, printLines } from "../output.ts";
import { measure, type Test } from "../throughput.ts";

const DEFAULT_BATCH = 128;

export const bench: Command = defineCommand({
  name: "bench",
  usage: "[MODEL]",
  positionals: [0, 1],
  about: `Measures tokens per second of the runtime without sampling: a prompt of random tokens (pp), and single steps (tg).
Every test runs once to warm up, and then -r times. --json prints llama-bench's fields, one object per test.`,
  flags: {
    model: modelFlag,
    prompt: numbers(
      "-p, --n-prompt",
      "N",
      { min: 0, integer: true },
      "prompt tokens of each test, such as 128,512 (default 512; 0: no test)",
    ),
    gen: numbers(
      "-n, --n-gen",
      "N",
      { min: 0, integer: true },
      "generated tokens of each test (default 128; 0: no test)",
    ),
    depth: numbers("-d, --n-depth", "N", { min: 0, integer: true }, "tokens in the cache before the test (default 0)"),
    repetitions: number(
      "-r, --repetitions",
      "N",
      { min: 1, max: 1000, integer: true },
      "measured runs of each test (default 5)",
    ),
    batch: { ...runtimeFlags.batch, help: "prompt tokens of one step (default 128)" },
    threads: runtimeFlags.threads,
    kv: runtimeFlags.kv,
    noRevectorize: runtimeFlags.noRevectorize,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals: [argument] }) {
    const source = givenModel(argument, flags.model) ?? DEFAULT_MODEL;
    if (argument !== undefined && !isModel(argument))
      throw new UsageError(`MODEL: expected a model's name or file, got ${argument}`);
    const tests = testsOf(flags);
    const { repetitions = 5, batch = DEFAULT_BATCH } = flags;
    const options = {
      ...runtimeOptions({ ...flags, batch }),
      contextLength: Math.max(...tests.map((test) => test.depth + test.prompt + test.gen)),
      maxLogitRows: 1,
      maxSequences: 1,
    };
    const results = await withCheckpoint(source, async (checkpoint) => {
      checkLengths(tests, (await describeModel(checkpoint)).config.contextLength);
      const executor = await loading(source, options, (all) => loadExecutor(checkpoint, nodeHost, all));
      const { threads, revectorized } = executor;
      const about = factsOf(checkpoint, { model: source, batch, kv: flags.kv ?? "mixed", threads, revectorized });
      try {
        return tests.map((test) => testResult(test, measure(executor, test, repetitions), about));
      } finally {
        executor.dispose();
      }
    });
    if (flags.json) return printJson(results);
    await printLines(resultsTable(results));
  },
});

interface TestFlags {
  readonly prompt: readonly number[] | undefined;
  readonly gen: readonly number[] | undefined;
  readonly depth: readonly number[] | undefined;
}

/** The tests at each depth: the prompts, then the single steps. @throws UsageError if there is none */
function testsOf({ prompt = [512], gen = [128], depth: depths = [0] }: TestFlags): Test[] {
  const tests = depths.flatMap((depth): Test[] => [
    ...prompt.map((n) => ({ prompt: n, gen: 0, depth })),
    ...gen.map((n) => ({ prompt: 0, gen: n, depth })),
  ]);
  const some = tests.filter((test) => test.prompt + test.gen > 0);
  if (some.length === 0) throw missing("a test", "give -p or -n a number above 0");
  return some;
}

/** @throws UsageError naming the flag of the first test that does not fit */
function checkLengths(tests: readonly Test[], context: number): void {
  for (const { prompt, gen, depth } of tests) {
    if (prompt + gen + depth <= context) continue;
    const flag = depth > context ? "-d" : prompt > 0 ? "-p" : "-n";
    const beside = depth === 0 ? "" : ` (${depth} of them for -d)`;
    throw new UsageError(
      `${flag}: expected at most the ${context} tokens of the model's context${beside}, got ${prompt + gen + depth}`,
      flag,
    );
  }
}
