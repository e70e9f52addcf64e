/**
 * Whole models through the executor: llama-bench's tests, their multiply-adds and weight stream as shares of what the
 * machine allows, and the time to load. How to run and read it: README.md.
 * @module
 */
import { open } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type Facts, facts, markdownTable, type Report, report, testName } from "../src/cli/llama-bench.ts";
import { prepareTest, type Test } from "../src/cli/throughput.ts";
import type { Checkpoint } from "../src/formats/types.ts";
import { loadExecutor, openCheckpoint } from "../src/load.ts";
import type { WasmExecutor } from "../src/runtime/executor.ts";
import type { Build } from "../src/runtime/kernels.ts";
import buildWasm from "../test/helpers/build-wasm.ts";
import { testHost } from "../test/helpers/models.ts";
import { createLimits, type Limits, medianLimits } from "./limits.ts";
import { isMain, machine, machineLine } from "./machine.ts";
import { quantile, ratio, type Spread } from "./statistics.ts";
import { SHAPES, type ShapeName, type SyntheticType, syntheticModel } from "./synthetic-model.ts";

export interface ModelResult extends Report {
  readonly test: string;
  /** Multiply-adds of the matrix products a second, in G; as a share of the limit of the instruction they can use. */
  readonly gmacs: number;
  readonly dotShare: Spread;
  /** Weights read a second, in GB; as a share of sequential reading. Of decode: a prompt reads them once a chunk. */
  readonly gigabytes?: number;
  readonly readShare?: Spread;
  /** Medians over the rounds of this test. */
  readonly limits: Limits;
}

export interface LoadResult extends Facts {
  readonly readSeconds: number;
  readonly loadSeconds: number;
  /** How many times as long loading takes as reading the file. */
  readonly times: Spread;
}

/** What a test computes: multiply-adds, and bytes of weights that each step reads. */
interface Work {
  readonly bodyMacs: number;
  readonly headMacs: number;
  readonly stepBytes: number;
}

/** Matrices that every token meets, and the head, which only rows that ask for logits meet. */
function workOf({ tensors }: Checkpoint): Work {
  let bodyMacs = 0;
  let stepBytes = 0;
  for (const { name, shape, byteLength } of tensors.values()) {
    if (shape.length < 2 || name === "token_embd.weight" || name === "output.weight") continue;
    bodyMacs += shape[0]! * shape[1]!;
    stepBytes += byteLength;
  }
  const head = tensors.get("output.weight") ?? tensors.get("token_embd.weight")!;
  return { bodyMacs, headMacs: head.shape[0]! * head.shape[1]!, stepBytes: stepBytes + head.byteLength };
}

function macsOf({ prompt, gen, sequences = 1 }: Test, { bodyMacs, headMacs }: Work): number {
  return sequences * (prompt > 0 ? prompt * bodyMacs + headMacs : gen * (bodyMacs + headMacs));
}

interface Subject {
  readonly build: Build;
  readonly executor: WasmExecutor;
  readonly about: Facts;
  readonly work: Work;
  readonly load: LoadResult;
}

export interface Plan {
  readonly tests: readonly Test[];
  readonly builds: readonly Build[];
  readonly rounds: number;
}

const BATCH = 128;
const LOADS = 3;

/** Loads a file some times, reading it in between; the last executor stays. */
async function loadSubject(path: string, build: Build, tests: readonly Test[]): Promise<Subject> {
  const most = (of: (test: Test) => number): number => Math.max(1, ...tests.map(of));
  const options = {
    build,
    maxBatchTokens: BATCH,
    contextLength: most(({ prompt, gen, depth }) => depth + prompt + gen),
    cacheTokens: most(
      ({ prompt, gen, depth, sequences = 1 }) => 64 * Math.ceil((depth + prompt + gen) / 64) * sequences,
    ),
  };
  const reads: number[] = [];
  const loads: number[] = [];
  for (let i = 0; ; i++) {
    reads.push(await secondsToRead(path));
    const start = performance.now();
    const checkpoint = await openCheckpoint(path, testHost);
    const executor = await loadExecutor(checkpoint, testHost, options);
    loads.push((performance.now() - start) / 1000);
    const about = facts(checkpoint, { model: path, batch: BATCH, kv: "mixed", build });
    const work = workOf(checkpoint);
    await checkpoint.close();
    if (i + 1 < LOADS) {
      executor.dispose();
      continue;
    }
    const [readSeconds, loadSeconds] = [quantile(reads, 0.5), quantile(loads, 0.5)];
    return { build, executor, about, work, load: { ...about, readSeconds, loadSeconds, times: ratio(loads, reads) } };
  }
}

/** A file that the system has cached, read in pieces into one buffer. */
async function secondsToRead(path: string): Promise<number> {
  const buffer = new Uint8Array(2 ** 20);
  const start = performance.now();
  const file = await open(path);
  while ((await file.read(buffer)).bytesRead > 0);
  await file.close();
  return (performance.now() - start) / 1000;
}

/** Limits, then every build, then again: what is compared ran within seconds. */
function measureTest(test: Test, subjects: readonly Subject[], rounds: number, limits: () => Limits): ModelResult[] {
  const prepared = subjects.map(({ executor }) => prepareTest(executor, test));
  const samples: number[][] = subjects.map(() => []);
  const allowed: Limits[] = [];
  for (const { run } of prepared) run();
  for (let round = 0; round < rounds; round++) {
    allowed.push(limits());
    for (const [i, { run }] of prepared.entries()) samples[i]!.push(run());
  }
  for (const { dispose } of prepared) dispose();
  return subjects.map(({ build, about, work }, i) => {
    const ns = samples[i]!;
    const dot = dotLimit(build, about.model_type);
    const gmacs = ns.map((time) => macsOf(test, work) / time);
    const gigabytes = ns.map((time) => (test.gen * work.stepBytes) / time);
    return {
      ...report(test, ns, about),
      test: testName(test),
      gmacs: quantile(gmacs, 0.5),
      dotShare: ratio(
        gmacs,
        allowed.map((limit) => limit[dot]),
      ),
      ...(test.prompt === 0 && {
        gigabytes: quantile(gigabytes, 0.5),
        readShare: ratio(
          gigabytes,
          allowed.map(({ read }) => read),
        ),
      }),
      limits: medianLimits(allowed),
    };
  });
}

/** The instruction that the products can use: relaxed dots need one operand below 128, which 8-bit codes are not. */
function dotLimit(build: Build, model: string): "relaxedDot" | "dotI16" {
  return build === "relaxed" && !model.endsWith("Q8_0") ? "relaxedDot" : "dotI16";
}

/** Runs a plan on one file. */
export async function benchModel(
  path: string,
  { tests, builds, rounds }: Plan,
  limits: () => Limits,
): Promise<{ load: LoadResult[]; results: ModelResult[] }> {
  const subjects: Subject[] = [];
  for (const build of builds) subjects.push(await loadSubject(path, build, tests));
  const results = tests.flatMap((test) => measureTest(test, subjects, rounds, limits));
  for (const { executor } of subjects) executor.dispose();
  return { load: subjects.map(({ load }) => load), results };
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

export function modelsTable(results: readonly ModelResult[]): string {
  const rows = results.map((result) => [
    result.model_type,
    result.backends,
    String(result.n_threads),
    result.test,
    quantile(result.samples_ts, 0.5).toFixed(1),
    `${quantile(result.samples_ts, 0.25).toFixed(1)}-${quantile(result.samples_ts, 0.75).toFixed(1)}`,
    result.gmacs.toFixed(1),
    percent(result.dotShare.median),
    result.gigabytes?.toFixed(1) ?? "",
    result.readShare ? percent(result.readShare.median) : "",
  ]);
  const head = ["model", "backend", "threads", "test", "t/s", "middle half", "GMAC/s", "of dot", "GB/s", "of read"];
  return markdownTable(head, rows, [0, 1]);
}

export function loadTable(loads: readonly LoadResult[]): string {
  const rows = loads.map((load) => [
    load.model_type,
    load.backends,
    `${(1000 * load.readSeconds).toFixed(0)} ms`,
    `${(1000 * load.loadSeconds).toFixed(0)} ms`,
    load.times.median.toFixed(2),
  ]);
  return markdownTable(["model", "backend", "read", "load", "times"], rows, [0, 1]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: "string", default: "140m" },
      type: { type: "string", default: "q4_0,q8_0,q4_1" },
      build: { type: "string", default: "relaxed,simd" },
      depth: { type: "string", default: "4096" },
      rounds: { type: "string", default: "5" },
      model: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const { shape, depth } = values;
  if (!Object.hasOwn(SHAPES, shape)) throw new Error(`expected --shape ${Object.keys(SHAPES)}, got ${shape}`);
  buildWasm();
  const plan: Plan = {
    rounds: Number(values.rounds),
    builds: values.build.split(",") as Build[],
    tests: [
      { prompt: 512, gen: 0, depth: 0 },
      { prompt: 0, gen: 128, depth: 0 },
      ...(Number(depth) > 0 ? [{ prompt: 0, gen: 64, depth: Number(depth) }] : []),
      { prompt: 0, gen: 64, depth: 0, sequences: 8 },
    ],
  };
  const about = machine();
  const say = values.json ? console.error : console.log;
  say(machineLine(about));
  const limits = createLimits();
  const load: LoadResult[] = [];
  const results: ModelResult[] = [];
  const types = values.type.toUpperCase().split(",") as SyntheticType[];
  for (const type of values.model ? ["given" as const] : types) {
    const path = type === "given" ? values.model! : await syntheticModel(shape as ShapeName, type);
    const part = await benchModel(path, plan, limits);
    load.push(...part.load);
    results.push(...part.results);
    say(`\n${modelsTable(part.results)}\n${loadTable(part.load)}`);
  }
  if (values.json) console.log(JSON.stringify({ ...about, load, results }));
}

if (isMain(import.meta.url)) await main();
