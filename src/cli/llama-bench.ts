/**
 * Reports measurements with the fields and the table of llama-bench (llama.cpp, tools/llama-bench).
 * @module
 */
import { cpus } from "node:os";
import { commit, version } from "../base/version.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { type Build, bestBuild } from "../runtime/kernels.ts";
import { count } from "./output.ts";
import type { Test } from "./throughput.ts";

/** The fields that describe a model and its runtime; they are the same for all tests. */
export interface Facts {
  readonly build_commit: string;
  readonly build_number: string;
  readonly cpu_info: string;
  readonly gpu_info: string;
  readonly backends: string;
  readonly model_filename: string;
  readonly model_type: string;
  /** The bytes of all tensors. */
  readonly model_size: number;
  readonly model_n_params: number;
  readonly n_threads: number;
  readonly n_batch: number;
  readonly n_ubatch: number;
  readonly type_kv: string;
}

export interface TestResult extends Facts {
  readonly n_prompt: number;
  readonly n_gen: number;
  readonly n_depth: number;
  readonly test_time: string;
  readonly avg_ns: number;
  readonly stddev_ns: number;
  /** Tokens per second. */
  readonly avg_ts: number;
  readonly stddev_ts: number;
  readonly samples_ns: readonly number[];
  readonly samples_ts: readonly number[];
}

export interface RunSettings {
  readonly model: string;
  readonly batch: number;
  readonly kv: string;
  readonly build?: Build;
  readonly threads?: number;
  /** Whether V8's revectorizer compiled the build. */
  readonly revectorized?: boolean;
}

export function factsOf({ architecture, tensors }: Checkpoint, run: RunSettings): Facts {
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
    backends: `wasm-${run.build ?? bestBuild(run.threads ?? 1)}${run.revectorized ? "-revectorized" : ""}`,
    model_filename: run.model,
    model_type: `${architecture} ${count(parameters)} ${type}`,
    model_size: bytes,
    model_n_params: parameters,
    n_threads: run.threads ?? 1,
    n_batch: run.batch,
    n_ubatch: run.batch,
    type_kv: run.kv,
  };
}

/** The result of a test. @param samples the nanoseconds of its runs */
export function testResult(
  { prompt, gen, depth, sequences = 1 }: Test,
  samples: readonly number[],
  about: Facts,
): TestResult {
  const rates = samples.map((ns) => (1e9 * (prompt + gen) * sequences) / ns);
  return {
    ...about,
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

/** The standard deviation of a sample: the sum is divided by n - 1. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** A test's name in the table: `pp512`, `tg64 @ d4096`. */
export function testName({ prompt, gen, depth, sequences = 1 }: Test): string {
  const name = prompt > 0 ? `pp${prompt}` : `tg${gen}`;
  return `${name}${sequences > 1 ? ` x ${sequences}` : ""}${depth ? ` @ d${depth}` : ""}`;
}

/** A Markdown table with llama-bench's columns. */
export function resultsTable(results: readonly TestResult[]): string {
  const rows = results.map((result) => [
    result.model_type,
    `${(result.model_size / 2 ** 20).toFixed(2)} MiB`,
    count(result.model_n_params),
    result.backends,
    String(result.n_threads),
    testName({ prompt: result.n_prompt, gen: result.n_gen, depth: result.n_depth }),
    `${result.avg_ts.toFixed(2)} ± ${result.stddev_ts.toFixed(2)}`,
  ]);
  return markdownTable(["model", "size", "params", "backend", "threads", "test", "t/s"], rows, [0, 3]);
}

/** A Markdown table that also reads well as text. @param left the columns that are aligned to the left */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[],
): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const right = (i: number): boolean => !left.includes(i);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (right(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(" | ")} |\n`;
  const rule = `| ${widths.map((width, i) => "-".repeat(width - (right(i) ? 1 : 0)) + (right(i) ? ":" : "")).join(" | ")} |\n`;
  return line(head) + rule + rows.map(line).join("");
}
