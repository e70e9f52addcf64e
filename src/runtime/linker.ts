/**
 * Writes a recorded program as the words that the interpreter reads, once the memory is planned.
 * @module
 */
import { align } from "./layout.ts";
import { OPERATION_WORDS, writeOperation } from "./operations.ts";
import type { Placement } from "./placement.ts";
import type { Operand, Recording } from "./recording.ts";
import type { WeightTable } from "./weight-table.ts";

/** Addresses where the regions begin. */
export interface Bases {
  readonly frequencies: number;
  readonly activations: number;
  readonly pages: number;
  readonly weights: number;
}

export interface Linkable {
  readonly recording: Recording;
  readonly placement: Placement;
  readonly weights: WeightTable;
  readonly frequencies: readonly Float32Array[];
}

/** What a program is linked for. */
export interface LinkOptions {
  readonly pageCount: number;
  /** Whether the engine packs vectors of 256 bits. */
  readonly packed?: boolean;
}

/** The programs of all threads, OPERATION_WORDS words per operation. They differ in the addresses of buffers. */
export function link(program: Linkable, bases: Bases, options: LinkOptions): Int32Array {
  const { operations, threads } = program.recording;
  const words = new Int32Array(threads * operations.length * OPERATION_WORDS);
  for (let thread = 0; thread < threads; thread++) {
    const first = thread * operations.length;
    for (const [i, { name, rows, operands }] of operations.entries()) {
      const fields: Record<string, number> = {};
      for (const [field, operand] of Object.entries(operands))
        fields[field] = resolve(operand, program, { ...options, bases, thread });
      const place = words.subarray((first + i) * OPERATION_WORDS, (first + i + 1) * OPERATION_WORDS);
      writeOperation(place, { name, rows, ...program.placement.meetings[i]!, fields });
    }
  }
  return words;
}

interface Target extends LinkOptions {
  readonly bases: Bases;
  readonly thread: number;
}

/** The number that an operand stands for in the program of a thread. */
function resolve(operand: Operand, program: Linkable, target: Target): number {
  const { bases, pageCount, packed = false, thread } = target;
  const { recording, placement, weights, frequencies } = program;
  if (typeof operand === "number") return operand;
  // All threads run the program of thread 0 too, and then add their own number of steps to the address of the scratch.
  if (operand === "scratch") return bases.activations + placement.scratch + thread * recording.scratchBytes;
  if (operand === "scratchBytes") return thread === 0 ? recording.scratchBytes : 0;
  if (operand === "packed") return packed ? 1 : 0;
  if ("place" in operand) return bases.activations + placement.offsetOf(operand.place, thread);
  if ("weight" in operand) return bases.weights + weights.placement(operand.weight).offset;
  if ("layerPages" in operand) return bases.pages + operand.layerPages * pageCount;
  if ("headPages" in operand) return operand.headPages * pageCount;
  return bases.frequencies + frequencyOffsets(frequencies)[operand.frequencies]!;
}

/** Where each table of frequencies lies, in bytes from the first. The last number is where they end. */
export function frequencyOffsets(tables: readonly Float32Array[]): number[] {
  const offsets = [0];
  for (const { byteLength } of tables) offsets.push(offsets.at(-1)! + align(byteLength));
  return offsets;
}
