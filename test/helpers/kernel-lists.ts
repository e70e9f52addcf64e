/**
 * What a kernel's entry in the table consists of, and how its cases are listed.
 * @module
 */

import type { Case } from "./kernel-cases.ts";
import { ACTIVATIONS } from "./kernel-data.ts";

/** What one call of a benchmark moves and computes. */
export interface Work extends Case {
  /** Bytes of weights, cache or activations that a call must read. */
  readonly bytes: number;
  /** Multiply-adds of a call; 0 where they are not the point. */
  readonly macs: number;
  /** Where the record `op` has the address of the buffer that decode reads from memory, not from cache: a byte offset. */
  readonly cold?: number;
}

export interface Kernel {
  readonly name: string;
  /** The kernel whose scalar reference this one has; its own where absent. */
  readonly sameAs?: string;
  readonly cases: readonly Case[];
  readonly bench: readonly Work[];
}

/** One value of each list. */
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
