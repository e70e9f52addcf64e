/**
 * Runs native llama.cpp as a contender: `node native.ts MODEL INSTRUCTIONS THREADS`. It calls the prebuilt library of
 * node-llama-cpp (@node-llama-cpp/linux-x64) through its addon, with one llama_decode per step and without sampling, as
 * llama-bench does. The addon's own interface is not public, so the package's version is pinned.
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Test } from "../../src/cli/throughput.ts";
import { type Sample, serve, type Timed } from "./contender.ts";

/** The part of node-llama-cpp's AddonTypes.d.ts that is used. */
interface Addon {
  readonly AddonModel: new (path: string, options: object) => { init(): Promise<boolean> };
  readonly AddonContext: new (model: object, options: object) => AddonContext;
  loadBackends(folder: string): void;
  init(): Promise<void>;
  setLoggerLogLevel(level: number): void;
  systemInfo(): string;
}
interface AddonContext {
  init(): Promise<boolean>;
  initBatch(size: number): void;
  /** `logits`: indices of the tokens whose logits are computed. */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logits: Uint32Array): void;
  decodeBatch(): Promise<void>;
  removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean;
}

/** The libraries of ggml by the instructions that they use; ggml loads the best one that the CPU supports. */
export const INSTRUCTIONS: Readonly<Record<string, RegExp>> = {
  avx2: /-haswell\.so$/,
  avx512: /-(skylakex|cannonlake|cascadelake|icelake|cooperlake|zen4)\.so$/,
  best: /./,
};

const package_ = fileURLToPath(new URL("node_modules/@node-llama-cpp/linux-x64/", import.meta.url));
const libraries = join(package_, "bins/linux-x64");

/** Makes a folder that holds only the matching libraries. */
function folderOf(instructions: RegExp): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-peers-"));
  for (const file of readdirSync(libraries))
    if (file.startsWith("libggml-cpu-") && instructions.test(file))
      symlinkSync(join(libraries, file), join(folder, file));
  return folder;
}

const BATCH = 512;

async function start(path: string, instructions: string, threads: number) {
  const addon: Addon = createRequire(import.meta.url)(join(libraries, "llama-addon.node"));
  addon.setLoggerLogLevel(0);
  addon.loadBackends(folderOf(INSTRUCTIONS[instructions]!));
  const system = addon.systemInfo().trim();
  if (system === "") throw new Error(`this CPU has no ${instructions}`);
  await addon.init();
  const model = new addon.AddonModel(path, { addonExports: addon, useMmap: true, gpuLayers: 0 });
  if (!(await model.init())) throw new Error(`llama.cpp could not load ${path}`);
  const { version } = JSON.parse(readFileSync(join(package_, "package.json"), "utf8"));
  const build = JSON.parse(readFileSync(join(libraries, "_nlcBuildMetadata.json"), "utf8")).buildOptions.llamaCpp;
  return {
    about: `llama.cpp ${build.release} of node-llama-cpp ${version}; ${system}`,
    prepare: (test: Test) => prepare(addon, model, threads, test),
  };
}

/** Makes a context per test: conversations of several tests in one cache would slow each other down. */
async function prepare(addon: Addon, model: object, threads: number, test: Test): Promise<Timed> {
  const { prompt, gen, depth, sequences = 1 } = test;
  const contextSize = 256 * Math.ceil((depth + prompt + gen) / 256) * sequences;
  // All other options are llama.cpp's defaults: keys and values in f16, flash attention where it helps.
  const options = { contextSize, batchSize: BATCH, sequences, flashAttention: "auto", threads };
  const context = new addon.AddonContext(model, options);
  if (!(await context.init())) throw new Error("llama.cpp made no context");

  const feed = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += BATCH) await step(context, sequences, at, Math.min(BATCH, to - at));
  };
  const run = async (): Promise<Sample> => {
    for (let sequence = 0; sequence < sequences; sequence++) context.removeTokenCellsFromSequence(sequence, depth, -1);
    const begin = performance.now();
    await feed(depth, depth + prompt);
    for (let at = depth; at < depth + gen; at++) await step(context, sequences, at, 1);
    return { seconds: (performance.now() - begin) / 1000 };
  };
  await feed(0, depth);
  await run();
  return run;
}

/** One step of `count` tokens in each sequence; the last token of each has logits. */
async function step(context: AddonContext, sequences: number, position: number, count: number): Promise<void> {
  context.initBatch(count * sequences);
  for (let sequence = 0; sequence < sequences; sequence++) {
    const tokens = Uint32Array.from({ length: count }, (_, i) => 1000 + (((position + sequence + i) * 7919) % 40_000));
    context.addToBatch(sequence, position, tokens, Uint32Array.of(count - 1));
  }
  await context.decodeBatch();
}

const [model = "", instructions = "best", threads = "1"] = process.argv.slice(2);
await serve(() => start(model, instructions, Number(threads)));
