/**
 * `nibble bench`: tokens per second, measured and reported as llama-bench does.
 * @module
 */
import { cpus } from "node:os";
import { uniform } from "../../engine/random.ts";
import type { Checkpoint } from "../../formats/types.ts";
import { nodeHost } from "../../hosts/node.ts";
import { loadExecutor } from "../../load.ts";
import { bestBuild } from "../../runtime/kernels.ts";
import type { Executor, Sequence } from "../../runtime/types.ts";
import { type Command, defineCommand } from "../command.ts";
import { number, numbers, UsageError } from "../flags.ts";
import {
  DEFAULT_MODEL,
  isModel,
  jsonFlag,
  loading,
  modelFlag,
  runtimeFlags,
  runtimeOptions,
  withCheckpoint,
} from "../model.ts";
import { count, print, printJson } from "../output.ts";
import { commit, version } from "../version.ts";

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
      const executor = await loading(source, options, (all) => loadExecutor(checkpoint, nodeHost, all));
      const facts = {
        ...modelFacts(source, checkpoint, executor.threads),
        n_batch: batch,
        n_ubatch: batch,
        type_kv: flags.kv ?? "mixed",
      };
      try {
        return tests.map((test) => report(test, measure(executor, test, repetitions), facts));
      } finally {
        executor.dispose();
      }
    });
    if (flags.json) return printJson(results);
    await print(table(results));
  },
});

interface Test {
  readonly prompt: number;
  readonly gen: number;
  readonly depth: number;
}

/** Nanoseconds of each repetition. The tokens before are computed once, outside the clock. */
function measure(executor: Executor, { prompt, gen, depth }: Test, repetitions: number): number[] {
  const sequence = executor.createSequence();
  const ids = Array.from({ length: depth + prompt + gen }, (_, i) => Math.floor(uniform(1, i, 0) * executor.vocabSize));
  feed(executor, sequence, ids.slice(0, depth), "none");
  const samples: number[] = [];
  for (let run = -1; run < repetitions; run++) {
    sequence.truncate(depth);
    const start = performance.now();
    if (prompt > 0) feed(executor, sequence, ids.slice(depth), "last");
    else for (let i = 0; i < gen; i++) executor.forward([{ sequence, tokens: [ids[depth + i]!], logits: "last" }]);
    if (run >= 0) samples.push(Math.round((performance.now() - start) * 1e6));
  }
  sequence.dispose();
  return samples;
}

/** A prompt in steps; logits, where wanted, only of the last token. */
function feed(executor: Executor, sequence: Sequence, ids: readonly number[], logits: "none" | "last"): void {
  const step = executor.maxBatchTokens;
  for (let at = 0; at < ids.length; at += step) {
    const last = at + step >= ids.length;
    executor.forward([{ sequence, tokens: ids.slice(at, at + step), logits: last ? logits : "none" }]);
  }
}

function modelFacts(source: string, { architecture, tensors }: Checkpoint, threads: number) {
  let bytes = 0;
  let parameters = 0;
  const byType = new Map<string, number>();
  for (const { type, shape, byteLength } of tensors.values()) {
    bytes += byteLength;
    parameters += shape.reduce((product, length) => product * length, 1);
    byType.set(type, (byType.get(type) ?? 0) + byteLength);
  }
  const [type] = [...byType].sort((a, b) => b[1] - a[1])[0] ?? ["?"];
  return {
    build_commit: commit,
    build_number: version,
    cpu_info: cpus()[0]?.model ?? "unknown",
    gpu_info: "",
    backends: `wasm-${bestBuild(threads)}`,
    model_filename: source,
    model_type: `${architecture} ${count(parameters)} ${type}`,
    model_size: bytes,
    model_n_params: parameters,
    n_threads: threads,
  };
}

function report<Facts extends object>({ prompt, gen, depth }: Test, samples: readonly number[], facts: Facts) {
  const rates = samples.map((ns) => (1e9 * (prompt + gen)) / ns);
  return {
    ...facts,
    n_prompt: prompt,
    n_gen: gen,
    n_depth: depth,
    test_time: new Date().toISOString(),
    avg_ns: Math.round(mean(samples)),
    stddev_ns: Math.round(deviation(samples)),
    avg_ts: mean(rates),
    stddev_ts: deviation(rates),
    samples_ns: samples,
    samples_ts: rates,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: divided by n - 1. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

type Report = ReturnType<typeof report<ReturnType<typeof modelFacts>>>;

function table(results: readonly Report[]): string {
  const rows = results.map((result) => [
    result.model_type,
    `${(result.model_size / 2 ** 20).toFixed(2)} MiB`,
    count(result.model_n_params),
    result.backends,
    String(result.n_threads),
    `${result.n_prompt > 0 ? `pp${result.n_prompt}` : `tg${result.n_gen}`}${result.n_depth ? ` @ d${result.n_depth}` : ""}`,
    `${result.avg_ts.toFixed(2)} ± ${result.stddev_ts.toFixed(2)}`,
  ]);
  const head = ["model", "size", "params", "backend", "threads", "test", "t/s"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const right = (i: number): boolean => i !== 0 && i !== 3;
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (right(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(" | ")} |\n`;
  const rule = `| ${widths.map((width, i) => "-".repeat(width - (right(i) ? 1 : 0)) + (right(i) ? ":" : "")).join(" | ")} |\n`;
  return line(head) + rule + rows.map(line).join("");
}
