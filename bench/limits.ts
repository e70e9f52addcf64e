/**
 * Measures the limits of the machine at hand: multiply-adds per second with operands in L1 (assembly/limits.ts), and
 * sequential reading. They are measured in the same run as the other benchmarks, which give their figures as shares of
 * these limits.
 * @module
 */
import { readFileSync } from "node:fs";
import buildWasm from "../test/helpers/build-wasm.ts";

/** Rates of one thread. */
export interface Limits {
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
/**
 * A call takes about 50 microseconds. V8 has no on-stack replacement for wasm, so one long call would stay unoptimised.
 */
const ROUNDS = 256;
const CALLS = 40;
const READ_BYTES = MIB;

/**
 * Prepares and warms up the loops.
 * @param readBytes the bytes that one sweep of `read` covers; 512 MiB or more, to be beyond the caches
 * @param together is called before each loop, where threads that measure at once wait for each other
 * @returns a function that measures once, in about 0.2 s
 */
export function createLimits(readBytes: number = 512 * MIB, together: () => void = () => {}): () => Limits {
  const { memory, exports } = loadLimitLoops(readBytes);
  // Pages that were never written may all map to one page of zeros.
  new Uint8Array(memory.buffer, PAGE).fill(1);
  const out = exports.operandsAt() + exports.operandBytes();

  const macs = (loop: Loop): number => {
    together();
    let best = Infinity;
    for (let sample = 0; sample < 5; sample++) {
      const start = performance.now();
      for (let call = 0; call < CALLS / 5; call++) exports[loop](ROUNDS, out);
      best = Math.min(best, performance.now() - start);
    }
    return ((CALLS / 5) * ROUNDS * exports.operandBytes() * MACS_PER_BYTE[loop]) / best / 1e6;
  };
  const read = (): number => {
    together();
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

/**
 * The rate of the instruction that matmuls of a type can use in a build. Relaxed dots need an operand below 128, and
 * codes of 8 bits are larger. The faster of the two relaxed dots counts; the engine decides which that is.
 * @param type of the weights, or a text that contains it
 */
export function dotLimit(build: string, type: string): (limits: Limits) => number {
  const relaxed = build !== "simd" && !/F32|F16|BF16|Q8_0/.test(type);
  return ({ relaxedDot, relaxedDotAdd, dotI16 }) => (relaxed ? Math.max(relaxedDot, relaxedDotAdd) : dotI16);
}
