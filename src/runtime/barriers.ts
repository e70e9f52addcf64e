/**
 * Decides where threads must meet, from what the operations read and write.
 *
 * In a batch of many rows, operations whose rows depend on no other row split the rows among the threads; neighbours
 * over the same rows need no barrier. In a small batch every thread runs them for all rows, in buffers of its own, so
 * that only the results of matmuls and of attention pass from thread to thread: five barriers per layer remain.
 * @module
 */
import type { BarrierAfter } from "./operations.ts";
import { OPERATIONS, type OperationName } from "./operations.ts";
import type { Buffer, Operand, RecordedOperation } from "./recording.ts";

/** Most rows of a batch that every thread keeps for itself (docs/kernels.md, "Threads"). */
export const SMALL_BATCH = 1;

/** How threads run an operation and what follows it. */
export interface Meeting {
  readonly barrier: BarrierAfter;
  readonly perThread: boolean;
}

/** A part of each row of a buffer, or the pages of a layer. */
interface Access {
  readonly of: Buffer | number;
  readonly begin: number;
  readonly end: number;
  readonly writes: boolean;
}

/** For each operation, whether threads meet after it, and whether each runs it for itself in a small batch. */
export function meetings(operations: readonly RecordedOperation[]): Meeting[] {
  const accesses = operations.map(accessesOf);
  const always = barriersWhere(operations.length, (a, b) => meet(accesses[a]!, accesses[b]!, sharedBuffer));
  const split = barriersWhere(
    operations.length,
    (a, b) => !sameRows(operations[a]!, operations[b]!) && meet(accesses[a]!, accesses[b]!, () => true),
    always,
  );
  return accesses.map((all, i) => ({
    barrier: always[i] ? "always" : split[i] ? "split" : "never",
    perThread: all.every(({ of, writes }) => !writes || !sharedBuffer(of)),
  }));
}

/**
 * Puts barriers, each as late as possible, so that no two operations between which `depends` holds lie between the same
 * two barriers.
 * @param given where there are barriers already
 */
function barriersWhere(
  count: number,
  depends: (earlier: number, later: number) => boolean,
  given: readonly boolean[] = [],
): boolean[] {
  const barriers = Array.from({ length: count }, (_, i) => given[i] ?? false);
  let first = 0; // the first operation after the last barrier
  for (let later = 1; later < count; later++) {
    if (barriers[later - 1]) first = later;
    for (let earlier = first; earlier < later; earlier++)
      if (depends(earlier, later)) {
        barriers[later - 1] = true;
        first = later;
      }
  }
  return barriers;
}

/** Whether one of two operations writes what the other one reads or writes, in something for which `counts` holds. */
function meet(a: readonly Access[], b: readonly Access[], counts: (of: Access["of"]) => boolean): boolean {
  return a.some((x) =>
    b.some((y) => x.of === y.of && (x.writes || y.writes) && x.begin < y.end && y.begin < x.end && counts(x.of)),
  );
}

/** In a small batch every thread stores all keys and values, so that it finds its own in the pages. */
const sharedBuffer = (of: Access["of"]): boolean => typeof of !== "number" && !of.perThread;

/** Whether a thread that runs some rows of one operation runs the same rows of the other one, and reads no other row. */
const sameRows = (a: RecordedOperation, b: RecordedOperation): boolean =>
  OPERATIONS[a.name].rowLocal && OPERATIONS[b.name].rowLocal && a.rows === b.rows;

function accessesOf({ name, operands }: RecordedOperation): Access[] {
  return Object.entries(operands).flatMap(([field, operand]) => accessOf(name, field, operand));
}

/** An operation writes to `dst`, and reads what its other operands name. Only kvStore writes to pages. */
function accessOf(name: OperationName, field: string, operand: Operand): Access[] {
  if (typeof operand !== "object") return [];
  if ("layerPages" in operand) return [{ of: operand.layerPages, begin: 0, end: 1, writes: name === "kvStore" }];
  if (!("place" in operand)) return [];
  const { buffer, offset, width } = operand.place;
  const end = width === undefined ? buffer.stride : offset + 4 * width;
  return [{ of: buffer, begin: offset, end, writes: field === "dst" }];
}
