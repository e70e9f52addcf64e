/**
 * Records in memory, by the names of their fields: operations, and what kernels take besides.
 * @module
 */
import {
  type FieldOf,
  OPERATION_WORDS,
  type OperationName,
  type RowSet,
  writeOperation,
} from "../../src/runtime/operations.ts";
import { loadBuild } from "./wasm-builds.ts";

let offsets: ReadonlyMap<string, number> | undefined;

/** The offsets that the debug build exports as `Record_field` (assembly/offsets.ts). */
export function exportedOffsets(): ReadonlyMap<string, number> {
  offsets ??= new Map(
    Object.entries(loadBuild("debug", 1).kernels as unknown as Record<string, unknown>)
      .filter(([name]) => /^[A-Z]\w*_\w+$/.test(name))
      .map(([name, global]) => [name, (global as WebAssembly.Global<"i32">).value]),
  );
  return offsets;
}

/** Where a field of a record lies, in bytes. */
export function offsetOf(record: string, field: string): number {
  const offset = exportedOffsets().get(`${record}_${field}`);
  if (offset === undefined) throw new Error(`expected a field of ${record}, got ${field}`);
  return offset;
}

/** A record of integers of 32 bits that takes `bytes`. */
function record(name: string, bytes: number, fields: Readonly<Record<string, number>>): Int32Array<ArrayBuffer> {
  const words = new Int32Array(bytes / 4);
  for (const [field, value] of Object.entries(fields)) words[offsetOf(name, field) / 4] = value;
  return words;
}

/** An operation over rows of the batch. Fields that a kernel does not read may be left out. */
export function operation<Name extends OperationName>(
  name: Name,
  fields: Partial<Record<FieldOf<Name>, number>>,
  rows: RowSet = "all",
): Int32Array<ArrayBuffer> {
  const words = new Int32Array(OPERATION_WORDS);
  writeOperation(words, { name, rows, barrier: "never", perThread: false, fields: fields as Record<string, number> });
  return words;
}

/** The operands of a tile (assembly/kernels/matmul/panel-tile.ts). */
export function panelTile(
  fields: Record<
    | "dst"
    | "dstStride"
    | "tokens"
    | "panel"
    | "scales"
    | "minima"
    | "x"
    | "second"
    | "meta"
    | "from"
    | "count"
    | "planes"
    | "columnsPerScale",
    number
  >,
): Int32Array<ArrayBuffer> {
  return record("PanelTile", 52, fields);
}

/**
 * Rows of one sequence at these positions, beginning with the operation's first
 * (assembly/kernels/attention/attention.ts).
 */
export function queryBlock(
  positions: readonly number[],
  pageTable: number,
  last: number = positions.at(-1)!,
): Int32Array<ArrayBuffer> {
  const words = record("QueryBlock", 16 + 4 * positions.length, { row: 0, rows: positions.length, pageTable, last });
  words.set(positions, 4);
  return words;
}
