/**
 * Times every kernel of the kernel table at the shapes of a real model. How to run and read it: README.md.
 * @module
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import Benchmark from "benchmark";
import { Arena } from "../test/helpers/arena.ts";
import buildWasm from "../test/helpers/build-wasm.ts";
import { KERNELS, type Work } from "../test/helpers/kernel-table.ts";
import { type BuildName, canRun, loadBuild, type WasmBuild } from "../test/helpers/wasm-builds.ts";

const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    build: { type: "string" },
    seconds: { type: "string", default: "1" },
    cold: { type: "string", default: "192" },
    json: { type: "boolean", default: false },
  },
});

/** Cold weights are read round a ring of copies at least this large. */
const COLD_BYTES = Number(options.cold) * 2 ** 20;
const MEGABYTES = Number(options.cold) + 32;

interface Result {
  readonly kernel: string;
  readonly title: string;
  readonly build: BuildName;
  /** Of the calls; half the samples lie within `low` and `high`. */
  readonly microseconds: { readonly median: number; readonly low: number; readonly high: number };
  readonly opsPerSecond: number;
  readonly gigabytesPerSecond: number;
  readonly gigamacsPerSecond: number;
}

/** One call after the other; in decode each reads the next copy of the weights. */
function caller(build: WasmBuild, kernel: string, work: Work): () => void {
  const arena = new Arena(build.memory, { poison: 0, shift: 0 });
  const args = work.prepare(arena);
  const run = build.kernels[kernel]!;
  if (work.cold === undefined) return () => run(...args);
  const index = work.cold;
  const bytes = arena.sizeOf(args[index]!);
  const copies = Math.ceil(COLD_BYTES / bytes);
  const weights = Array.from({ length: copies }, () => arena.reserve(bytes));
  for (const at of weights) new Uint8Array(build.memory.buffer).copyWithin(at, args[index]!, args[index]! + bytes);
  let next = 0;
  return () => {
    args[index] = weights[next]!;
    next = next + 1 < copies ? next + 1 : 0;
    run(...args);
  };
}

/** V8 has no on-stack replacement for wasm: many calls, not long ones, bring it to the optimising compiler. */
function warmUp(call: () => void): void {
  const end = performance.now() + 200;
  for (let i = 0; i < 300 || performance.now() < end; i++) {
    call();
    if (performance.now() > end + 2000) break;
  }
}

function time(build: WasmBuild, kernel: string, work: Work): Result {
  const call = caller(build, kernel, work);
  warmUp(call);
  const { stats, error } = new Benchmark(work.title, call, {
    maxTime: Number(options.seconds),
    minSamples: 15,
    minTime: 0.02,
  }).run({ async: false });
  if (error) throw error;
  const samples = [...stats.sample].sort((a, b) => a - b);
  const quantile = (q: number): number => samples[Math.round(q * (samples.length - 1))]!;
  const median = quantile(0.5);
  return {
    kernel,
    title: work.title,
    build: build.name,
    microseconds: { median: median * 1e6, low: quantile(0.25) * 1e6, high: quantile(0.75) * 1e6 },
    opsPerSecond: 1 / median,
    gigabytesPerSecond: work.bytes / median / 1e9,
    gigamacsPerSecond: work.macs / median / 1e9,
  };
}

function line({ kernel, title, build, microseconds: { median, low, high }, ...rates }: Result): string {
  const macs = rates.gigamacsPerSecond ? rates.gigamacsPerSecond.toFixed(1) : "";
  const spread = `${low.toFixed(2)}-${high.toFixed(2)}`;
  return [
    `${kernel} ${title}`.padEnd(58),
    build.padEnd(8),
    median.toFixed(2).padStart(10),
    spread.padStart(20),
    rates.opsPerSecond.toFixed(0).padStart(10),
    rates.gigabytesPerSecond.toFixed(2).padStart(7),
    macs.padStart(7),
  ].join(" ");
}

buildWasm();
const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  engine: `Node ${process.version}, V8 ${process.versions.v8}`,
  commit: git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "assembly") ? " with changes" : ""),
  date: new Date().toISOString(),
};
const names = (options.build?.split(",") ?? ["relaxed", "simd"]) as BuildName[];
const builds = names.filter(canRun).map((name) => loadBuild(name, MEGABYTES));
const results: Result[] = [];
if (!options.json) {
  console.log(`${machine.cpu}, ${machine.cores} cores; ${machine.engine}; commit ${machine.commit}`);
  console.log(
    `${"kernel".padEnd(58)} ${"build".padEnd(8)} ${"median us".padStart(10)} ${"middle half".padStart(20)}      ops/s    GB/s  GMAC/s`,
  );
}
for (const { name, bench } of KERNELS) {
  for (const work of bench.filter(({ title }) => `${name} ${title}`.includes(options.filter))) {
    for (const build of builds) {
      const result = time(build, name, work);
      results.push(result);
      if (!options.json) console.log(line(result));
    }
  }
}
if (options.json) console.log(JSON.stringify({ ...machine, results }, null, 2));
if (results.length === 0) throw new Error(`no kernel or title contains "${options.filter}"`);
