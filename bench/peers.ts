/**
 * The same file in nibble, llama.cpp native and wllama, one after the other, round after round: ratios hold on a machine
 * that others use too. How to run and read it: README.md.
 * @module
 */
import { parseArgs } from "node:util";
import buildWasm from "../test/helpers/build-wasm.ts";
import { createLimits, type Limits, medianLimits } from "./limits.ts";
import { isMain, type Machine, machine, machineLine } from "./machine.ts";
import { type Contender, startChild } from "./peers/contender.ts";
import { startWllama } from "./peers/wllama.ts";
import { peersTable } from "./report.ts";
import { ratio, type Spread } from "./statistics.ts";
import { SHAPES, type ShapeName, type SyntheticType, syntheticModel } from "./synthetic-model.ts";

export const KINDS = ["prompt", "decode"] as const;
export type Kind = (typeof KINDS)[number];

export interface Entry {
  /** `nibble relaxed`, `llama.cpp avx512`, `wllama`. */
  readonly engine: string;
  readonly threads: number;
  readonly about: string;
  /** Tokens a second, one for each round. */
  readonly prompt: readonly number[];
  readonly decode: readonly number[];
}

export interface Comparison {
  readonly ours: string;
  readonly peer: string;
  readonly threads: number;
  readonly kind: Kind;
  /** Tokens a second of ours over the peer's, of each round. */
  readonly ratio: Spread;
}

export interface PeersResult extends Machine {
  readonly model: string;
  readonly prompt: number;
  readonly decode: number;
  /** Of one thread; medians over the rounds. */
  readonly limits: Limits;
  readonly loadAfter: number;
  readonly entries: readonly Entry[];
  readonly comparisons: readonly Comparison[];
  /** Who could not take part, and why. */
  readonly leftOut: readonly string[];
}

interface Candidate {
  readonly engine: string;
  readonly threads: number;
  readonly start: (name: string) => Promise<Contender>;
}

function candidates(model: string, threadCounts: readonly number[], wanted: RegExp): Candidate[] {
  const child =
    (module: string, ...args: string[]) =>
    (name: string) =>
      startChild(name, module, [model, ...args]);
  const all = threadCounts.flatMap((threads): Candidate[] => [
    ...(threads === 1 ? ["relaxed", "simd"] : ["threads"]).map((build) => ({
      engine: `nibble ${build}`,
      threads,
      start: child("nibble.ts", build, `${threads}`),
    })),
    { engine: "llama.cpp best", threads, start: child("native.ts", "best", `${threads}`) },
    { engine: "llama.cpp avx512", threads, start: child("native.ts", "avx512", `${threads}`) },
    { engine: "llama.cpp avx2", threads, start: child("native.ts", "avx2", `${threads}`) },
    { engine: "wllama", threads, start: (name) => startWllama(name, model, threads) },
  ]);
  return all.filter(({ engine, threads }) => wanted.test(`${engine} ${threads}`));
}

/** Each engine of ours with each peer of the same thread count. */
export function compare(entries: readonly Entry[]): Comparison[] {
  const ours = entries.filter(({ engine }) => engine.startsWith("nibble"));
  const peers = entries.filter(({ engine }) => !engine.startsWith("nibble"));
  return ours.flatMap((our) =>
    peers
      .filter(({ threads }) => threads === our.threads)
      .flatMap((peer) =>
        KINDS.map((kind) => ({
          ours: our.engine,
          peer: peer.engine,
          threads: our.threads,
          kind,
          ratio: ratio(our[kind], peer[kind]),
        })),
      ),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: "string", default: "140m" },
      type: { type: "string", default: "q4_0" },
      threads: { type: "string", default: "1,2" },
      rounds: { type: "string", default: "5" },
      prompt: { type: "string", default: "512" },
      decode: { type: "string", default: "64" },
      filter: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const { shape, type } = values;
  if (!Object.hasOwn(SHAPES, shape)) throw new Error(`expected --shape ${Object.keys(SHAPES)}, got ${shape}`);
  const about = machine();
  const say = console.error;
  say(machineLine(about));
  buildWasm();
  const path = await syntheticModel(shape as ShapeName, type.toUpperCase() as SyntheticType);
  const [prompt, decode] = [Number(values.prompt), Number(values.decode)];
  const limits = createLimits();
  const leftOut: string[] = [];
  const running: { candidate: Candidate; contender: Contender; prompt: number[]; decode: number[] }[] = [];
  try {
    for (const candidate of candidates(path, values.threads.split(",").map(Number), new RegExp(values.filter))) {
      const name = `${candidate.engine}, ${candidate.threads} threads`;
      try {
        const contender = await candidate.start(name);
        running.push({ candidate, contender, prompt: [], decode: [] });
        await contender.run({ kind: "prompt", tokens: Math.min(128, prompt) });
        await contender.run({ kind: "decode", tokens: Math.min(16, decode) });
        say(`${name}: ${contender.about}`);
      } catch (error) {
        leftOut.push(error instanceof Error ? error.message : String(error));
        say(leftOut.at(-1));
      }
    }
    const allowed: Limits[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      allowed.push(limits());
      for (const entry of running) {
        entry.prompt.push(await entry.contender.run({ kind: "prompt", tokens: prompt }));
        entry.decode.push(await entry.contender.run({ kind: "decode", tokens: decode }));
        say(
          `${round + 1}: ${entry.contender.name}: ${entry.prompt.at(-1)!.toFixed(1)}, ${entry.decode.at(-1)!.toFixed(1)}`,
        );
      }
    }
    const entries = running.map(({ candidate: { engine, threads }, contender, prompt, decode }) => ({
      engine,
      threads,
      about: contender.about,
      prompt,
      decode,
    }));
    const result: PeersResult = {
      ...about,
      model: `${shape} ${type.toUpperCase()}`,
      prompt,
      decode,
      limits: medianLimits(allowed),
      loadAfter: machine().load,
      entries,
      comparisons: compare(entries),
      leftOut,
    };
    console.log(values.json ? JSON.stringify(result) : peersTable(result));
  } finally {
    for (const { contender } of running) await contender.close();
  }
}

if (isMain(import.meta.url)) await main();
