/**
 * Measures the bytes of the wasm builds, the time to load a file, and the time to the first token.
 * @module
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { openCheckpoint } from "../src/load/checkpoint.ts";
import { loadExecutor } from "../src/load/executor.ts";
import type { LoadOptions } from "../src/load/options.ts";
import { BUILDS, type Build } from "../src/runtime/kernels.ts";
import buildBundles from "../test/helpers/build-bundles.ts";
import { testHost } from "../test/helpers/models.ts";
import type { OurEngine } from "./engines.ts";
import { isMain } from "./machine.ts";
import { ratio, type Spread, spread } from "./statistics.ts";

const dist = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

export interface Size {
  readonly build: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

export function wasmSizes(): Size[] {
  return BUILDS.map((build) => {
    const bytes = readFileSync(dist(`wasm/${build}.wasm`));
    return { build, bytes: bytes.length, gzipBytes: gzipSync(bytes).length };
  });
}

/** Seconds, one value per round; every round is a process of its own. */
export interface LoadResult {
  readonly name: string;
  readonly threads: number;
  readonly read: readonly number[];
  readonly load: readonly number[];
  /** How many times as long loading takes as reading the file. */
  readonly times: Spread;
}

/** Times loading in several builds by turns, after a read that fills the page cache. */
export async function loadTimes(
  path: string,
  engines: readonly Pick<OurEngine, "name" | "build" | "threads" | "packed">[],
  rounds: number,
): Promise<LoadResult[]> {
  await secondsToRead(path);
  const samples = engines.map(() => ({ read: [] as number[], load: [] as number[] }));
  for (let round = 0; round < rounds; round++)
    for (const [i, { build, threads, packed = false }] of engines.entries()) {
      const args = [fileURLToPath(import.meta.url), path, build, String(threads), String(packed)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { read, load } = JSON.parse(stdout) as { read: number; load: number };
      samples[i]!.read.push(read);
      samples[i]!.load.push(load);
    }
  return engines.map(({ name, threads }, i) => {
    const { read, load } = samples[i]!;
    return { name, threads, read, load, times: ratio(load, read) };
  });
}

/** Reads a cached file in pieces into one buffer: a lower bound for everything that keeps the bytes. */
async function secondsToRead(path: string): Promise<number> {
  const buffer = new Uint8Array(2 ** 20);
  const start = performance.now();
  const file = await open(path);
  while ((await file.read(buffer)).bytesRead > 0);
  await file.close();
  return (performance.now() - start) / 1000;
}

/** Loads an executor in a fresh process, so that the time includes compiling the build. */
async function secondsToLoad(path: string, options: LoadOptions): Promise<number> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(path, testHost);
  const executor = await loadExecutor(checkpoint, testHost, { ...options, contextLength: 1024 });
  const seconds = (performance.now() - start) / 1000;
  await checkpoint.close();
  executor.dispose();
  return seconds;
}

export interface StartResult {
  /** Milliseconds of `node -e 0` from start to end, one value per round. */
  readonly node: readonly number[];
  /** Milliseconds of `nibble run PROMPT` with crumb, from its start to its first byte on stdout. */
  readonly firstToken: readonly number[];
  /** The same of the model of this run, with its file in the page cache. */
  readonly firstTokenOfModel: readonly number[];
  /** The difference, round by round. */
  readonly over: Spread;
}

export async function startTimes(path: string, rounds: number): Promise<StartResult> {
  buildBundles();
  const node: number[] = [];
  const firstToken: number[] = [];
  const firstTokenOfModel: number[] = [];
  const run = [dist("cli.js"), "run", "How much is 8 * 33?", "--temp", "0"];
  for (let round = 0; round <= rounds; round++) {
    node.push(await milliseconds(["-e", "0"], "exit"));
    firstToken.push(await milliseconds(run, "byte"));
    firstTokenOfModel.push(await milliseconds([...run, "-m", path], "byte"));
  }
  // The first run of each filled the page cache.
  for (const samples of [node, firstToken, firstTokenOfModel]) samples.shift();
  return { node, firstToken, firstTokenOfModel, over: spread(firstToken.map((ms, round) => ms - node[round]!)) };
}

async function milliseconds(args: readonly string[], until: "exit" | "byte"): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exit = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (text) => (errors += text));
  const first = await Promise.race([exit, ...(until === "byte" ? [once(child.stdout, "data")] : [])]);
  const time = performance.now() - start;
  if (until === "byte") {
    if (typeof first[0] === "number") throw new Error(`${args.join(" ")} ended without an answer: ${errors}`);
    child.kill();
    await exit;
  }
  return time;
}

if (isMain(import.meta.url)) {
  const [path = "", build = "", threads = "1", packed = "false"] = process.argv.slice(2);
  const read = await secondsToRead(path);
  const load = await secondsToLoad(path, {
    build: build as Build,
    threads: Number(threads),
    revectorize: packed === "true",
  });
  console.log(JSON.stringify({ read, load }));
}
