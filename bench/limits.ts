/**
 * What the machine at hand allows, measured in the same run as what is compared with it: multiply-adds a second with
 * operands in L1 (assembly/limits.ts), and sequential reading. Every other benchmark gives its figures as shares of these.
 *
 *   npm run bench:limits -- [--json]
 * @module
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import buildWasm from "../test/helpers/build-wasm.ts";
import { isMain, machine } from "./machine.ts";
import { quantile } from "./statistics.ts";

/** Rates of one thread. */
export interface Limits {
  /** G multiply-adds a second of `i16x8.relaxed_dot_i8x16_i7x16_s` + `i16x8.add`: 4-bit codes, relaxed build. */
  readonly relaxedDot: number;
  /** Of `i32x4.relaxed_dot_i8x16_i7x16_add_s`. */
  readonly relaxedDotAdd: number;
  /** Of `i32x4.dot_i16x8_s` + `i32x4.add`: operands widened to 16 bits, as in the simd build. */
  readonly dotI16: number;
  /** GB/s over a buffer larger than most caches. */
  readonly read: number;
}

type Loop = "relaxedDot" | "relaxedDotAdd" | "dotI16";

export interface LimitExports {
  readonly operandsAt: () => number;
  readonly operandBytes: () => number;
  readonly relaxedDot: (rounds: number, out: number) => void;
  readonly relaxedDotAdd: (rounds: number, out: number) => void;
  readonly dotI16: (rounds: number, out: number) => void;
  readonly read: (from: number, bytes: number, out: number) => void;
}

export interface LimitLoops {
  readonly memory: WebAssembly.Memory;
  readonly exports: LimitExports;
}

const PAGE = 65536;
const MIB = 2 ** 20;

/** The module of assembly/limits.ts with `bytes` of memory behind its own first page. */
export function loadLimitLoops(bytes: number): LimitLoops {
  buildWasm();
  const pages = 1 + Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(readFileSync(new URL("../dist/wasm/limits.wasm", import.meta.url)));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, exports: exports as unknown as LimitExports };
}

const MACS_PER_BYTE: Record<Loop, number> = { relaxedDot: 4, relaxedDotAdd: 4, dotI16: 2 };
const LOOPS = Object.keys(MACS_PER_BYTE) as Loop[];
/** About 50 microseconds a call: V8 has no on-stack replacement for wasm, so one long call would stay unoptimised. */
const ROUNDS = 256;
const CALLS = 40;
const READ_BYTES = MIB;

/**
 * Prepares and warms up the loops.
 * @param readBytes what one sweep of `read` covers; 512 MiB or more, to be beyond the caches
 * @returns a function that measures once, in about 0.2 s
 */
export function createLimits(readBytes: number = 512 * MIB): () => Limits {
  const { memory, exports } = loadLimitLoops(readBytes);
  // Pages that were never written all map to one page of zeros.
  new Uint8Array(memory.buffer, PAGE).fill(1);
  const out = exports.operandsAt() + exports.operandBytes();

  const macs = (loop: Loop): number => {
    let best = Infinity;
    for (let sample = 0; sample < 5; sample++) {
      const start = performance.now();
      for (let call = 0; call < CALLS / 5; call++) exports[loop](ROUNDS, out);
      best = Math.min(best, performance.now() - start);
    }
    return ((CALLS / 5) * ROUNDS * exports.operandBytes() * MACS_PER_BYTE[loop]) / best / 1e6;
  };
  const read = (): number => {
    let best = Infinity;
    for (let sweep = 0; sweep < 2; sweep++) {
      const start = performance.now();
      for (let at = 0; at < readBytes; at += READ_BYTES) exports.read(PAGE + at, READ_BYTES, out);
      best = Math.min(best, performance.now() - start);
    }
    return readBytes / best / 1e6;
  };
  const measure = (): Limits => ({
    relaxedDot: macs("relaxedDot"),
    relaxedDotAdd: macs("relaxedDotAdd"),
    dotI16: macs("dotI16"),
    read: read(),
  });

  for (const end = performance.now() + 300; performance.now() < end; ) {
    for (const loop of LOOPS) for (let i = 0; i < 50; i++) exports[loop](1, out);
    exports.read(PAGE, READ_BYTES, out);
  }
  return measure;
}

/** Medians of several measurements, taken while something else was measured in between. */
export function medianLimits(samples: readonly Limits[]): Limits {
  const median = (key: keyof Limits): number =>
    quantile(
      samples.map((sample) => sample[key]),
      0.5,
    );
  return {
    relaxedDot: median("relaxedDot"),
    relaxedDotAdd: median("relaxedDotAdd"),
    dotI16: median("dotI16"),
    read: median("read"),
  };
}

export function limitLines(limits: Limits): string {
  return [
    `relaxed_dot + add        ${limits.relaxedDot.toFixed(1)} G multiply-adds/s`,
    `relaxed_dot_add          ${limits.relaxedDotAdd.toFixed(1)} G multiply-adds/s`,
    `dot_i16x8 + add          ${limits.dotI16.toFixed(1)} G multiply-adds/s`,
    `sequential read          ${limits.read.toFixed(1)} GB/s`,
  ].join("\n");
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const measure = createLimits();
  const limits = medianLimits(Array.from({ length: 9 }, measure));
  console.log(values.json ? JSON.stringify({ ...machine(), limits }) : limitLines(limits));
}
