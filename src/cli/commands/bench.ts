/**
 * `nibble bench`: tokens per second, measured and reported as llama-bench does.
 * @module
 */
import { nodeHost } from "../../hosts/node/host.ts";
import { loadExecutor } from "../../load/executor.ts";
import { describeModel } from "../../models/index.ts";
import { type Command, defineCommand } from "../command.ts";
import { number, numbers, UsageError } from "../flags.ts";
import { facts, report, table } from "../llama-bench.ts";
import {
  DEFAULT_MODEL,
  isModel,
  jsonFlag,
  loading,
  modelFlag,
  offlineFlag,
  runtimeFlags,
  runtimeOptions,
  withCheckpoint,
} from "../model.ts";
import { print, printJson } from "../output.ts";
import { measure, type Test } from "../throughput.ts";

const DEFAULT_BATCH = 128;

export const bench: Command = defineCommand({
  name: "bench",
  usage: "[MODEL]",
  positionals: [0, 1],
  about: `Tokens per second of the bare runtime, without sampling: a prompt of random tokens (pp), and single steps (tg).
Every test runs once to warm up, then -r times. --json: llama-bench's fields, an object for each test.`,
  flags: {
    model: modelFlag,
    prompt: numbers(
      "-p, --n-prompt",
      "N",
      { min: 0, integer: true },
      "prompt tokens, such as 128,512 (default 512; 0: none)",
    ),
    gen: numbers("-n, --n-gen", "N", { min: 0, integer: true }, "generated tokens (default 128; 0: none)"),
    depth: numbers("-d, --n-depth", "N", { min: 0, integer: true }, "tokens in the cache before (default 0)"),
    repetitions: number("-r, --repetitions", "N", { min: 1, max: 1000, integer: true }, "measured runs (default 5)"),
    batch: { ...runtimeFlags.batch, help: "prompt tokens of a step (default 128)" },
    threads: runtimeFlags.threads,
    kv: runtimeFlags.kv,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals: [argument] }) {
    if (argument !== undefined && flags.model !== undefined)
      throw new UsageError("expected one model: MODEL or -m, got both");
    if (argument !== undefined && !isModel(argument)) throw new UsageError(`expected a model, got ${argument}`);
    const source = argument ?? flags.model ?? DEFAULT_MODEL;
    const { prompt = [512], gen = [128], depth: depths = [0], repetitions = 5 } = flags;
    const tests = depths
      .flatMap((depth): Test[] => [
        ...prompt.map((n) => ({ prompt: n, gen: 0, depth })),
        ...gen.map((n) => ({ prompt: 0, gen: n, depth })),
      ])
      .filter((test) => test.prompt + test.gen > 0);
    if (tests.length === 0) throw new UsageError("expected -p or -n above 0, got no test");
    const batch = flags.batch ?? DEFAULT_BATCH;
    const options = {
      ...runtimeOptions({ kv: flags.kv, threads: flags.threads, batch }),
      contextLength: Math.max(...tests.map((test) => test.depth + test.prompt + test.gen)),
      maxLogitRows: 1,
      maxSequences: 1,
    };
    const results = await withCheckpoint(source, async (checkpoint) => {
      checkLengths(tests, (await describeModel(checkpoint)).config.contextLength);
      const executor = await loading(source, options, (all) => loadExecutor(checkpoint, nodeHost, all));
      const about = facts(checkpoint, { model: source, batch, kv: flags.kv ?? "mixed", threads: executor.threads });
      try {
        return tests.map((test) => report(test, measure(executor, test, repetitions), about));
      } finally {
        executor.dispose();
      }
    });
    if (flags.json) return printJson(results);
    await print(table(results));
  },
});

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
