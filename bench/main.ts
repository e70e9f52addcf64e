/**
 * `npm run bench`: everything in one run. How to run and read it: README.md.
 * @module
 */
import { basename } from "node:path";
import process from "node:process";
import { openCheckpoint } from "../src/load/executor.ts";
import buildWasm from "../test/helpers/build-wasm.ts";
import { testHost } from "../test/helpers/models.ts";
import { installPeers, label, ourEngines, peerEngines } from "./engines.ts";
import { loadTimes, startTimes, wasmSizes } from "./footprint.ts";
import { benchKernels } from "./kernels.ts";
import { createThreadLimits, type ThreadLimits } from "./limit-threads.ts";
import type { Limits } from "./limits.ts";
import { machine, machineLine } from "./machine.ts";
import { rowOf, runModels, subjectOf } from "./models.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { report } from "./report.ts";
import { type Results, resultsName, writeResults } from "./results.ts";
import { syntheticModel } from "./synthetic-model.ts";

const say = (line: string): void => console.error(line);

async function run(options: Options, command: string): Promise<Results> {
  const about = machine();
  say(machineLine(about));
  buildWasm();
  const { threads, tests, rounds, slowRounds } = options;
  const wants = (part: Options["parts"][number]): boolean => options.parts.includes(part);
  const path = await modelPath(options);
  const gaps: string[] = [];
  const limits = await Limiter.start(threads);
  try {
    const sizes = wants("sizes") ? wasmSizes() : [];
    const start = wants("start") ? await startTimes(5 * rounds) : undefined;
    const ours = ourEngines(path, threads, tests);
    const load = wants("load") ? await loadTimes(path, ours, rounds) : [];
    const kernels = wants("kernels") ? await benchKernels(options.kernels, () => limits.measure(1)) : [];
    const missing = wants("peers") ? installPeers() : undefined;
    if (missing) gaps.push(missing);
    const peers = wants("peers") && !missing ? peerEngines(path, threads, tests) : [];
    const engines = [...(wants("models") ? ours : []), ...peers]
      .filter((engine) => options.engines.test(label(engine)))
      .sort((a, b) => a.threads - b.threads);
    const models = await runModels({ engines, tests, rounds, slowRounds, say, limits: (n) => limits.measure(n) });
    for (const count of threads) await limits.measure(count);
    const checkpoint = await openCheckpoint(path, testHost);
    const subject = subjectOf(checkpoint, path);
    await checkpoint.close();
    return {
      machine: about,
      loadAfter: machine().load,
      command,
      title: titleOf(options),
      limits: limits.samples,
      sizes,
      ...(start && { start }),
      load,
      rows: models.samples.map((samples) => rowOf(samples, subject)),
      kernels,
      about: models.about,
      gaps: [...gaps, ...models.gaps],
    };
  } finally {
    await limits.close();
  }
}

/** The limits of each number of threads; keeps what it measured. */
class Limiter {
  readonly samples: Map<number, Limits[]>;
  readonly #of: ReadonlyMap<number, ThreadLimits>;

  private constructor(of: ReadonlyMap<number, ThreadLimits>) {
    this.#of = of;
    this.samples = new Map([...of.keys()].map((threads) => [threads, []]));
  }

  static async start(threadCounts: readonly number[]): Promise<Limiter> {
    const counts = [...new Set([1, ...threadCounts])];
    const of = new Map<number, ThreadLimits>();
    for (const threads of counts) of.set(threads, await createThreadLimits(threads));
    return new Limiter(of);
  }

  async measure(threads: number): Promise<Limits> {
    const limits = await this.#of.get(threads)!.measure();
    this.samples.get(threads)!.push(limits);
    return limits;
  }

  async close(): Promise<void> {
    for (const limits of this.#of.values()) await limits.close();
  }
}

async function modelPath({ model }: Options): Promise<string> {
  return typeof model === "string" ? model : await syntheticModel(model.shape, model.type);
}

function titleOf({ model }: Options): string {
  return typeof model === "string" ? basename(model) : `${model.shape} shape, ${model.type}, random weights`;
}

function nameOf({ model }: Options): string {
  return typeof model === "string" ? basename(model, ".gguf") : `${model.shape}-${model.type}`;
}

/** Wrong usage is one line and the way to the right one, not a stack. */
function parseOrExit(args: readonly string[]): Options | undefined {
  try {
    if (!args.includes("--help")) return parseOptions(args);
    console.log(USAGE);
  } catch (error) {
    say(`${(error as Error).message}\nnpm run bench -- --help lists the options`);
    process.exitCode = 2;
  }
  return undefined;
}

async function main(args: readonly string[], options: Options): Promise<void> {
  const results = await run(options, ["npm run bench --", ...args].join(" "));
  const name = resultsName(results.machine, nameOf(options), options.quick);
  console.log(report(results));
  if (options.out !== undefined) say(writeResults(options.out, name, results).join("\n"));
}

const args = process.argv.slice(2);
const options = parseOrExit(args);
if (options) await main(args, options);
