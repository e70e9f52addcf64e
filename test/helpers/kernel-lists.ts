/**
 * The parts of a kernel's entry in the table, and helpers to list its cases.
 * @module
 */
import type { Case } from "./kernel-cases.ts";
import { ACTIVATIONS } from "./kernel-data.ts";

/** A case that the benchmark times, with what one call moves and computes. */
export interface Work extends Case {
  /** Bytes of weights, cache or activations that a call must read. */
  readonly bytes: number;
  /** Multiply-adds of a call; 0 where they are not reported. */
  readonly macs: number;
  /** The byte offset in the record `op` of the address of a buffer that must be read from memory, not from a cache. */
  readonly cold?: number;
}

export interface Kernel {
  readonly name: string;
  /** The kernel whose scalar reference this one has; its own where absent. */
  readonly sameAs?: string;
  readonly cases: readonly Case[];
  readonly bench: readonly Work[];
}

/** All combinations of one value from each list. */
export function* combine<const T extends readonly (readonly unknown[])[]>(
  ...lists: T
): Generator<{ [I in keyof T]: T[I][number] }> {
  const [first, ...rest] = lists;
  if (!first) yield [] as never;
  else for (const value of first) for (const tail of combine(...rest)) yield [value, ...tail] as never;
}

export const times = <T>(lists: Iterable<T>, make: (values: T) => Case): Case[] => [...lists].map(make);

/** Columns of quantised types, from one block on. */
export const EDGE_BLOCKS: readonly number[] = [32, 64, 96, 576, 2048];
export const EDGE_FLOATS: readonly number[] = [1, 3, 31, 32, 33, 100, 576];
export const PATTERNS: readonly string[] = Object.keys(ACTIVATIONS);
/** Kinds of f16 scales that break naive code. */
export const SCALES = ["zero", "subnormal", "largest", "sane"] as const;
/** One block in twenty has a second digit, as in SmolLM2 (assembly/kernels/quantize.ts). */
export const OUTLIERS = 20;
