/**
 * Measures the limits of the machine at hand: multiply-adds per second with operands in L1, and reading (assembly/limits.ts).
 * A limit is the rate of the fastest of several loops, so that no kernel can be faster than it. Limits are measured in
 * the same run as the other benchmarks, which give their figures as shares of them.
 * @module
 */
import { readFileSync } from "node:fs";
import buildWasm from "../test/helpers/build-wasm.ts";

const SHAPES = ["8x4", "8x6", "16x4", "16x6"] as const;
const STREAMS = [1, 2, 4] as const;

/** Rates of one thread, or the sums of several. */
export interface Rates {
  /** G multiply-adds per second of `i16x8.relaxed_dot_i8x16_i7x16_s` + `i16x8.add`: 4-bit codes, relaxed build. */
  readonly relaxedDot: number;
  /** G multiply-adds per second of `i32x4.relaxed_dot_i8x16_i7x16_add_s`. */
  readonly relaxedDotAdd: number;
  /**
   * G multiply-adds per second of `i32x4.dot_i16x8_s` + `i32x4.add`: operands widened to 16 bits, as in the simd build.
   */
  readonly dotI16: number;
  /** GB/s over a buffer larger than most caches. */
  readonly read: number;
}

export type Limit = keyof Rates;
export const LIMITS: readonly Limit[] = ["relaxedDot", "relaxedDotAdd", "dotI16", "read"];

export interface Limits extends Rates {
  /** The fastest loop of each limit: a shape, weight rows x activations, or a number of streams. */
  readonly loops: Readonly<Record<Limit, string>>;
}

type Dot = Exclude<Limit, "read">;

/** The exports of assembly/limits.ts. */
export type LimitExports = {
  readonly operandsAt: () => number;
  readonly operandBytes: () => number;
  /** Where a loop may store its results. */
  readonly resultsAt: () => number;
} & Readonly<Record<`${Dot}${(typeof SHAPES)[number]}`, (rounds: number, out: number) => void>> &
  Readonly<
    Record<`read${(typeof STREAMS)[number]}`, (from: number, bytes: number, out: number, apart: number) => void>
  >;

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

/** Multiply-adds of a dot product of two vectors. */
const MACS: Readonly<Record<Dot, number>> = { relaxedDot: 16, relaxedDotAdd: 16, dotI16: 8 };
const DOTS = Object.keys(MACS) as Dot[];
/**
 * A call takes 10 to 50 microseconds. V8 has no on-stack replacement for wasm, so one long call would stay unoptimised.
 */
const ROUNDS = 128;
const CALLS = 8;
const SAMPLES = 4;
const READ_BYTES = MIB;

/** G multiply-adds that a call makes. */
function workOf(dot: Dot, shape: (typeof SHAPES)[number], operandBytes: number): number {
  const [rows, tokens] = shape.split("x").map(Number) as [number, number];
  const steps = operandBytes / (4 * rows);
  return (ROUNDS * steps * (rows / 4) * tokens * MACS[dot]) / 1e9;
}

/**
 * Prepares and warms up the loops.
 * @param readBytes the bytes that one sweep of reading covers; 512 MiB or more, to be beyond the caches
 * @param together is called before each loop, where threads that measure at once wait for each other
 * @returns a function that measures once, in about 0.5 s
 */
export function createLimits(readBytes: number = 512 * MIB, together: () => void = () => {}): () => Limits {
  const { memory, exports } = loadLimitLoops(readBytes);
  // Pages that were never written may all map to one page of zeros.
  new Uint8Array(memory.buffer, PAGE).fill(1);
  const out = exports.resultsAt();

  const macs = (dot: Dot, shape: (typeof SHAPES)[number]): number => {
    together();
    const loop = exports[`${dot}${shape}`];
    let best = Infinity;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const start = performance.now();
      for (let call = 0; call < CALLS; call++) loop(ROUNDS, out);
      best = Math.min(best, performance.now() - start);
    }
    return (CALLS * workOf(dot, shape, exports.operandBytes())) / (best / 1000);
  };
  const read = (streams: (typeof STREAMS)[number]): number => {
    together();
    const apart = readBytes / streams;
    let best = Infinity;
    for (let sweep = 0; sweep < 2; sweep++) {
      const start = performance.now();
      for (let at = 0; at < apart; at += READ_BYTES / streams)
        exports[`read${streams}`](PAGE + at, READ_BYTES / streams, out, apart);
      best = Math.min(best, performance.now() - start);
    }
    return readBytes / best / 1e6;
  };
  const measure = (): Limits => {
    const dots = DOTS.map((dot) => [dot, fastest(SHAPES, (shape) => macs(dot, shape))] as const);
    const reads = fastest(STREAMS, read);
    const all = [
      ...dots,
      ["read", { ...reads, name: reads.name === "1" ? "1 stream" : `${reads.name} streams` }] as const,
    ];
    const of = <T>(value: (best: (typeof all)[number][1]) => T): Record<Limit, T> =>
      Object.fromEntries(all.map(([limit, best]) => [limit, value(best)])) as Record<Limit, T>;
    return { ...of(({ rate }) => rate), loops: of(({ name }) => name) };
  };

  for (const end = performance.now() + 300; performance.now() < end; ) {
    for (const dot of DOTS) for (const shape of SHAPES) for (let i = 0; i < 20; i++) exports[`${dot}${shape}`](1, out);
    for (const streams of STREAMS) exports[`read${streams}`](PAGE, 65536, out, readBytes / streams);
  }
  return measure;
}

/** The fastest loop, and its rate. */
function fastest<T extends string | number>(
  loops: readonly T[],
  measure: (loop: T) => number,
): { readonly name: string; readonly rate: number } {
  const rates = loops.map((loop) => ({ name: String(loop), rate: measure(loop) }));
  return rates.reduce((best, next) => (next.rate > best.rate ? next : best));
}

/**
 * The rate of the instruction that matmuls of a type can use in a build. Relaxed dots need an operand below 128, and
 * codes of 8 bits are larger. The faster of the two relaxed dots counts; the engine decides which that is.
 * @param type of the weights, or a text that contains it
 */
export function dotLimit(build: string, type: string): (limits: Rates) => number {
  const relaxed = build !== "simd" && !/F32|F16|BF16|Q8_0/.test(type);
  return ({ relaxedDot, relaxedDotAdd, dotI16 }) => (relaxed ? Math.max(relaxedDot, relaxedDotAdd) : dotI16);
}
