// The records of assembly/operations.ts and the host's src/runtime/operations.ts have the same fields at the same
// offsets.
import { expect, it } from "vitest";
import { QUERY_BLOCK_BYTES } from "../../src/runtime/layout.ts";
import {
  BATCH_HEADER_BYTES,
  BATCH_WORDS,
  OPERATION_BYTES,
  OPERATION_FIELDS,
  OPERATIONS,
  type OperationName,
  operationWord,
} from "../../src/runtime/operations.ts";
import { exportedOffsets } from "../helpers/kernel-records.ts";

/** The record of an operation: its name in upper camel case, but for those that share one. */
const GATED = ["siluMul", "geluMul", "sigmoidMul", "mul"];
const recordOf = (name: string): string => (GATED.includes(name) ? "GatedMul" : name[0]!.toUpperCase() + name.slice(1));

/** The fields of a record with their offsets, as the debug build exports them. */
const exported = (record: string): Record<string, number> =>
  Object.fromEntries(
    [...exportedOffsets()]
      .filter(([name]) => name.startsWith(`${record}_`))
      .map(([name, offset]) => [name.slice(record.length + 1), offset]),
  );

const names = Object.keys(OPERATIONS) as OperationName[];

it.each(names)("the fields of %s", (name) => {
  const fields = OPERATIONS[name].fields;
  const expected = Object.fromEntries(fields.map((field) => [field, 4 * operationWord(name, field)]));
  expect(exported(recordOf(name))).toEqual(expected);
  expect(Math.max(...Object.values(expected)) + 4).toBeLessThanOrEqual(OPERATION_BYTES);
});

it("the fields that every operation begins with", () => {
  expect(exported("Operation")).toEqual(Object.fromEntries(OPERATION_FIELDS.map((field, i) => [field, 4 * i])));
});

it("the fields of a batch's header", () => {
  expect(exported("Batch")).toEqual(
    Object.fromEntries(Object.entries(BATCH_WORDS).map(([field, word]) => [field, 4 * word])),
  );
  expect(4 * (Math.max(...Object.values(BATCH_WORDS)) + 1)).toBeLessThanOrEqual(BATCH_HEADER_BYTES);
});

it("each operation has a code of its own", () => {
  expect(new Set(names.map((name) => OPERATIONS[name].code)).size).toBe(names.length);
});

it("a block of queries has room for the positions of sixteen rows", () => {
  expect(exported("QueryBlock")).toEqual({ row: 0, rows: 4, pageTable: 8, last: 12 });
  expect(QUERY_BLOCK_BYTES).toBe(16 + 16 * 4);
});
