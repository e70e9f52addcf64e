/**
 * `npm run bench`: measures everything in one run. `README.md` says how to run it and how to read the tables.
 * @module
 */
import { basename } from "node:path";
import process from "node:process";
import { openCheckpoint } from "../src/load/checkpoint.ts";
import buildWasm from "../test/helpers/build-wasm.ts";
import { testHost } from "../test/helpers/models.ts";
import { openEnergy } from "./energy.ts";
import { installPeers, label, ourEngines, peerEngines } from "./engines.ts";
import { loadTimes, startTimes, wasmSizes } from "./footprint.ts";
import { benchKernels } from "./kernels.ts";
import { Limiter, type LimitKind } from "./limit-process.ts";
import type { Limits } from "./limits.ts";
import { machine, machineLine } from "./machine.ts";
import { rowOf, runModels, subjectOf } from "./models.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { report } from "./report.ts";
import type { Results } from "./results.ts";
import { resultsName, writeResults } from "./results-files.ts";
import { syntheticModel } from "./synthetic-model.ts";

const say = (line: string): void => console.error(line);

type Measured = Omit<Results, "machine" | "loadAfter" | "command" | "title" | "limits">;

const wants = (options: Options, part: Options["parts"][number]): boolean => options.parts.includes(part);

async function run(options: Options, command: string): Promise<Results> {
  const about = machine();
  say(machineLine(about));
  buildWasm();
  const limiter = new Limiter();
  try {
    const measured = await measure(options, await modelPath(options), limiter);
    return {
      machine: about,
      loadAfter: machine().load,
      command,
      title: titleOf(options),
      limits: limiter.samples,
      ...measured,
    };
  } finally {
    limiter.close();
  }
}

/** Measures the parts that were asked for, one after the other, and last the limits once more. */
async function measure(options: Options, path: string, limiter: Limiter): Promise<Measured> {
  const { threads, tests, rounds } = options;
  const plain = { threads: 1, packed: false };
  const sizes = wants(options, "sizes") ? wasmSizes() : [];
  const start = wants(options, "start") ? await startTimes(path, 5 * rounds) : undefined;
  const load = wants(options, "load") ? await loadTimes(path, ourEngines(path, threads, tests), rounds) : [];
  const kernels = wants(options, "kernels") ? await benchKernels(options.kernels, () => limiter.measure(plain)) : [];
  const { rows, about, gaps } = await measureModels(options, path, limiter);
  for (const count of threads) await limiter.measure({ threads: count, packed: false });
  return { sizes, ...(start && { start }), load, rows, kernels, about, gaps };
}

async function measureModels(
  options: Options,
  path: string,
  limiter: Limiter,
): Promise<Pick<Results, "rows" | "about" | "gaps">> {
  const { threads, tests, rounds, slowRounds } = options;
  const missing = wants(options, "peers") ? installPeers() : undefined;
  const peers = wants(options, "peers") && missing === undefined ? peerEngines(path, threads, tests) : [];
  const ours = wants(options, "models") ? ourEngines(path, threads, tests) : [];
  const engines = [...ours, ...peers]
    .filter((engine) => options.engines.test(label(engine)))
    .sort((a, b) => a.threads - b.threads);
  const limits = (kind: LimitKind): Promise<Limits> => limiter.measure(kind);
  const counter = openEnergy();
  const energy = typeof counter === "string" ? undefined : counter;
  const { samples, about, gaps } = await runModels({ engines, tests, rounds, slowRounds, say, limits, energy });
  const checkpoint = await openCheckpoint(path, testHost);
  const subject = subjectOf(checkpoint, path);
  await checkpoint.close();
  return {
    rows: samples.map((one) => rowOf(one, subject)),
    about,
    gaps: [...(missing === undefined ? [] : [missing]), ...gaps, ...(typeof counter === "string" ? [counter] : [])],
  };
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

/** The options; for wrong usage undefined, after one line on stderr and exit code 2. */
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
