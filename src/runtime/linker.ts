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

/** The program's words, OPERATION_WORDS per operation. */
export function link(program: Linkable, bases: Bases, options: LinkOptions): Int32Array {
  const { recording, placement } = program;
  const words = new Int32Array(recording.operations.length * OPERATION_WORDS);
  for (const [i, { name, rows, operands }] of recording.operations.entries()) {
    const fields: Record<string, number> = {};
    for (const [field, operand] of Object.entries(operands)) fields[field] = resolve(operand, program, bases, options);
    const place = words.subarray(i * OPERATION_WORDS, (i + 1) * OPERATION_WORDS);
    writeOperation(place, { name, rows, barrier: placement.barriers[i]!, fields });
  }
  return words;
}

/** The number that an operand stands for. */
function resolve(
  operand: Operand,
  { recording, placement, weights, frequencies }: Linkable,
  bases: Bases,
  { pageCount, packed = false }: LinkOptions,
): number {
  if (typeof operand === "number") return operand;
  if (operand === "scratch") return bases.activations + placement.scratch;
  if (operand === "scratchBytes") return recording.scratchBytes;
  if (operand === "packed") return packed ? 1 : 0;
  if ("place" in operand) return bases.activations + placement.offsetOf(operand.place);
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
