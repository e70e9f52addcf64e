/**
 * The engines that take part in a run.
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Test } from "../src/cli/throughput.ts";
import type { Build } from "../src/runtime/kernels.ts";
import { type Contender, startChild } from "./peers/contender.ts";
import { startWllama } from "./peers/wllama.ts";

export type OurEngine = Engine & { readonly build: Build };

export interface Engine {
  /** `nibble relaxed`, `llama.cpp avx2`, `wllama`. */
  readonly name: string;
  /** The wasm build; only our engines have one. */
  readonly build?: Build;
  readonly threads: number;
  /** Whether V8 joins the operations of our kernels to ones of 256 bits (`load(..., { revectorize: true })`). */
  readonly packed?: boolean;
  /** Whether a sample takes ten seconds or more. */
  readonly slow: boolean;
  /** Whether the engine can run a test, and in reasonable time. */
  readonly can: (test: Test) => boolean;
  readonly start: () => Promise<Contender>;
}

/** `llama.cpp avx2, 1 thread` */
export function label({ name, threads }: Pick<Engine, "name" | "threads">): string {
  return `${name}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** The name of one of our engines: its build, and whether its vectors have 256 bits. */
export function ourName(build: Build, packed: boolean): string {
  return `nibble ${build}${packed ? " 256" : ""}`;
}

/**
 * Our builds, with vectors of 128 bits and of 256. More than one thread needs the third build, which is the relaxed one with
 * shared memory. The simd build is for hosts without relaxed SIMD, and these have no revectorizer.
 */
export function ourEngines(model: string, threadCounts: readonly number[], tests: readonly Test[]): OurEngine[] {
  return threadCounts.flatMap((threads) => {
    const fast = threads === 1 ? "relaxed" : "threads";
    const kinds: readonly (readonly [Build, boolean])[] = [
      [fast, false],
      [fast, true],
      ...(threads === 1 ? [["simd", false] as const] : []),
    ];
    return kinds.map(([build, packed]): OurEngine => {
      const can = (test: Test): boolean => build !== "simd" || test.depth < LONG;
      const own = tests.filter(can);
      const args = [model, build, String(threads), String(packed), JSON.stringify(own)];
      return {
        name: ourName(build, packed),
        build,
        threads,
        packed,
        slow: false,
        can,
        start: () => startChild("nibble.ts", args),
      };
    });
  });
}

/** Cached tokens from which on only the best of our engines and of llama.cpp take part: to fill them takes minutes. */
const LONG = 8192;

export function peerEngines(model: string, threadCounts: readonly number[], tests: readonly Test[]): Engine[] {
  return threadCounts.flatMap((threads) => [
    ...["best", "avx512", "avx2"].map((instructions) => ({
      name: `llama.cpp ${instructions}`,
      threads,
      slow: false,
      can: ({ depth }: Test) => depth < LONG || instructions === "best",
      start: () => startChild("native.ts", [model, instructions, String(threads)]),
    })),
    wllama(model, threads, tests),
  ]);
}

/** wllama takes minutes to read 4,096 tokens, and its interface steps one conversation at a time. */
function wllama(model: string, threads: number, tests: readonly Test[]): Engine {
  const can = ({ depth, sequences = 1 }: Test): boolean => depth === 0 && sequences === 1;
  const longest = Math.max(...tests.filter(can).map(({ prompt, gen }) => prompt + gen));
  const context = 256 * Math.ceil((longest + 2) / 256);
  return { name: "wllama", threads, slow: true, can, start: () => startWllama(model, threads, context) };
}

/**
 * Installs the packages of a folder with a lock file of its own if they are missing. Their scripts do not run: that of
 * onnxruntime-node downloads libraries for GPUs.
 * @returns the reason if they cannot be installed
 */
export function installPeers(name: "peers" | "peers/transformers" = "peers"): string | undefined {
  const folder = fileURLToPath(new URL(name, import.meta.url));
  if (existsSync(`${folder}/node_modules/.package-lock.json`)) return undefined;
  const { status, error, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
    encoding: "utf8",
    timeout: 120_000,
  });
  return status === 0 ? undefined : `npm ci in bench/${name}: ${error?.message ?? stderr.trim().split("\n")[0]}`;
}
