/**
 * The options of `npm run bench`.
 * @module
 */
import { parseArgs } from "node:util";
import type { Test } from "../src/cli/throughput.ts";
import { SHAPES, type ShapeName, type SyntheticType } from "./synthetic-model.ts";

export const PARTS = ["kernels", "models", "peers", "load", "start", "sizes"] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly parts: readonly Part[];
  /** A file, or the shape and the type of a synthetic one. */
  readonly model: string | { readonly shape: ShapeName; readonly type: SyntheticType };
  readonly tests: readonly Test[];
  readonly rounds: number;
  /** Rounds of slow engines (wllama), which take ten seconds or more for each. */
  readonly slowRounds: number;
  readonly threads: readonly number[];
  /** The engines that take part, by label, such as `nibble relaxed, 1 thread`. */
  readonly engines: RegExp;
  readonly kernels: {
    /** Matches the text `name title`. */
    readonly filter: RegExp;
    readonly seconds: number;
  };
  /** The folder of the results; undefined: they are only printed. */
  readonly out?: string;
  readonly quick: boolean;
}

export const USAGE: string = `npm run bench -- [options]

  --shape 140m|360m|950m     synthetic model in the shape of a MobileLLM-R1 (140m)
  --type q4_0|q4_1|q8_0      its weights (q4_0)
  --model FILE               a GGUF file instead
  --only PART,...            parts to measure: ${PARTS.join(", ")} (all)
  --rounds N                 samples per figure (4; wllama has at most 2)
  --threads N,...            thread counts (1,2)
  --engines REGEXP           engines by name, e.g. "nibble|avx2, 1"
  --depth N,...              cached tokens of the tests at depth; 0: no such test (4096,16384)
  --sequences N,...          conversations that are decoded together (8,64)
  --filter REGEXP            kernels by name and title (^(matmul|attention) ); "" for all
  --seconds S                seconds per kernel (0.1)
  --out DIR                  folder of the results (bench/results)
  --print                    print the tables, and write no files
  --quick                    a quick run in less than 90 s: 2 rounds, fewer engines and kernels, depth 1024`;

const QUICK = {
  rounds: "2",
  depth: "1024",
  sequences: "8",
  engines: "nibble|best|wllama, 1",
  filter: "^matmul Q4_0",
  seconds: "0.05",
};
const FULL = {
  rounds: "4",
  depth: "4096,16384",
  sequences: "8,64",
  engines: "",
  filter: "^(matmul|attention) ",
  seconds: "0.1",
};

const TEXT = { type: "string" } as const;
const FLAGS = {
  shape: { ...TEXT, default: "140m" },
  type: { ...TEXT, default: "q4_0" },
  model: TEXT,
  only: { ...TEXT, default: PARTS.join(",") },
  rounds: TEXT,
  threads: { ...TEXT, default: "1,2" },
  engines: TEXT,
  depth: TEXT,
  sequences: TEXT,
  filter: TEXT,
  seconds: TEXT,
  out: { ...TEXT, default: "bench/results" },
  print: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
} as const;

/**
 * Reads a command line.
 * @throws Error that says what was expected and what came
 */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  const { rounds, depth, sequences, engines, filter, seconds } = { ...(values.quick ? QUICK : FULL), ...values };
  const count = whole("--rounds", rounds, 1);
  return {
    parts: values.only.split(",").map((part) => oneOf("--only", PARTS, part)),
    model: values.model ?? {
      shape: oneOf("--shape", Object.keys(SHAPES) as ShapeName[], values.shape.toLowerCase()),
      type: oneOf("--type", ["Q4_0", "Q4_1", "Q8_0"] as const, values.type.toUpperCase()),
    },
    tests: testsOf(wholes("--depth", depth, 0), wholes("--sequences", sequences, 1), values.quick),
    rounds: count,
    slowRounds: Math.min(count, values.quick ? 1 : 2),
    threads: wholes("--threads", values.threads, 1),
    engines: new RegExp(engines),
    kernels: { filter: new RegExp(filter), seconds: positive("--seconds", seconds) },
    ...(!values.print && { out: values.out }),
    quick: values.quick,
  };
}

/** The tests: a prompt, decode from an empty context, decode at depth, and several conversations together. */
function testsOf(depths: readonly number[], sequences: readonly number[], quick: boolean): Test[] {
  const gen = quick ? 16 : 32;
  return [
    { prompt: 512, gen: 0, depth: 0 },
    { prompt: 0, gen, depth: 0 },
    ...depths.filter((depth) => depth > 0).map((depth) => ({ prompt: 0, gen, depth })),
    ...sequences.map((count) => ({ prompt: 0, gen: gen / 2, depth: 0, sequences: count })),
  ];
}

function wholes(option: string, got: string, least: number): number[] {
  return got.split(",").map((one) => whole(option, one, least));
}

function oneOf<T extends string>(option: string, allowed: readonly T[], got: string): T {
  const found = allowed.find((value) => value === got);
  if (found === undefined) throw new Error(`${option}: expected one of ${allowed.join(", ")}, got "${got}"`);
  return found;
}

function whole(option: string, got: string, least: number): number {
  const value = Number(got);
  if (got.trim() === "" || !Number.isSafeInteger(value) || value < least)
    throw new Error(`${option}: expected a whole number of at least ${least}, got "${got}"`);
  return value;
}

function positive(option: string, got: string): number {
  const value = Number(got);
  if (!(value > 0 && value < Infinity)) throw new Error(`${option}: expected a positive number, got "${got}"`);
  return value;
}
