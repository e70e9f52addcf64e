/**
 * Times every kernel of the kernel table at the shapes of a real model. How to run and read it: README.md.
 * @module
 */
import Benchmark from "benchmark";
import { markdownTable } from "../src/cli/llama-bench.ts";
import { Arena } from "../test/helpers/arena.ts";
import { inOrder } from "../test/helpers/kernel-arguments.ts";
import type { Work } from "../test/helpers/kernel-lists.ts";
import { KERNELS } from "../test/helpers/kernel-table.ts";
import { type BuildName, canRun, loadBuild, type WasmBuild } from "../test/helpers/wasm-builds.ts";
import { dotLimit, type Limits } from "./limits.ts";
import { percent, type Spread, spread } from "./statistics.ts";

/**
 * Bytes of all copies of the weights, in the cases whose weights must not be cached: they read one copy after the
 * other.
 */
const COLD_BYTES = 192 * 2 ** 20;
const MEGABYTES = 192 + 32;

export interface KernelResult {
  readonly kernel: string;
  readonly title: string;
  readonly build: BuildName;
  /** The time of a call. Each sample is the mean of many calls. */
  readonly samples_us: readonly number[];
  readonly microseconds: Spread;
  readonly gigabytesPerSecond: number;
  readonly gigamacsPerSecond: number;
  /** Share of the limit of the dot-product instruction; only for matmuls. */
  readonly dotShare?: number;
  /** Share of the limit of sequential reading; only for weights that are not cached. */
  readonly readShare?: number;
}

/** A function that calls the kernel. In decode each call reads the next copy of the weights. */
function caller(build: WasmBuild, kernel: string, work: Work): () => void {
  const arena = new Arena(build, { poison: 0, shift: 0 });
  const args = work.prepare(arena);
  const run = build.kernels[kernel]!;
  const inCall = inOrder(kernel, args);
  if (work.cold === undefined) return () => run(...inCall);
  const address = new Uint32Array(build.memory.buffer, args.op! + work.cold, 1);
  const first = address[0]!;
  const bytes = arena.sizeOf(first);
  const copies = Math.ceil(COLD_BYTES / bytes);
  const weights = Array.from({ length: copies }, () => arena.reserve(bytes));
  for (const at of weights) new Uint8Array(build.memory.buffer).copyWithin(at, first, first + bytes);
  let next = 0;
  return () => {
    address[0] = weights[next]!;
    next = next + 1 < copies ? next + 1 : 0;
    run(...inCall);
  };
}

/** V8 has no on-stack replacement for wasm, so it takes many calls, not long ones, to get optimised code. */
function warmUp(call: () => void): void {
  const end = performance.now() + 200;
  for (let i = 0; i < 300 || performance.now() < end; i++) {
    call();
    if (performance.now() > end + 2000) break;
  }
}

interface Timing {
  /** How long to sample. */
  readonly seconds: number;
  readonly limits: Limits;
}

function time(build: WasmBuild, kernel: string, work: Work, { seconds, limits }: Timing): KernelResult {
  const call = caller(build, kernel, work);
  warmUp(call);
  const { stats, error } = new Benchmark(work.title, call, {
    maxTime: seconds,
    minSamples: 5,
    minTime: Math.min(0.02, seconds / 5),
  }).run({ async: false });
  if (error) throw error;
  const samples = stats.sample.map((sample) => sample * 1e6);
  const microseconds = spread(samples);
  const gigabytesPerSecond = work.bytes / microseconds.median / 1e3;
  const gigamacsPerSecond = work.macs / microseconds.median / 1e3;
  const isMatmul = /^matmul/.test(kernel);
  return {
    kernel,
    title: work.title,
    build: build.name,
    samples_us: samples,
    microseconds,
    gigabytesPerSecond,
    gigamacsPerSecond,
    ...(isMatmul && { dotShare: gigamacsPerSecond / dotLimit(build.name, work.title)(limits) }),
    ...(work.cold !== undefined && { readShare: gigabytesPerSecond / limits.read }),
  };
}

/**
 * Times the kernels whose `name title` matches, in the builds that this engine runs.
 * @param limits measures the machine's limits; called once per kernel
 */
export async function benchKernels(
  { filter, seconds }: { readonly filter: RegExp; readonly seconds: number },
  limits: () => Promise<Limits>,
): Promise<KernelResult[]> {
  const builds = (["relaxed", "simd"] as const).filter(canRun).map((name) => loadBuild(name, MEGABYTES));
  const results: KernelResult[] = [];
  for (const { name, bench } of KERNELS) {
    const wanted = bench.filter(({ title }) => filter.test(`${name} ${title}`));
    const allowed = wanted.length > 0 ? await limits() : undefined;
    for (const work of wanted)
      for (const build of builds) results.push(time(build, name, work, { seconds, limits: allowed! }));
  }
  if (results.length === 0) throw new Error(`expected a pattern of a kernel and its title, got ${filter}`);
  return results;
}

export function kernelsTable(results: readonly KernelResult[]): string {
  const rows = results.map(({ kernel, title, build, microseconds: { median, low, high }, ...result }) => [
    `${kernel} ${title}`.trim(),
    build,
    median.toFixed(2),
    `${low.toFixed(2)}-${high.toFixed(2)}`,
    result.gigabytesPerSecond.toFixed(2),
    result.gigamacsPerSecond ? result.gigamacsPerSecond.toFixed(1) : "",
    percent(result.dotShare),
    percent(result.readShare),
  ]);
  const head = ["kernel", "build", "median us", "middle half", "GB/s", "GMAC/s", "of dot", "of read"];
  return markdownTable(head, rows, [0, 1]);
}
