/**
 * Decides where each activation buffer lies.
 * @module
 */
import { type Meeting, meetings, SMALL_BATCH } from "./barriers.ts";
import { align, TILE_TOKENS } from "./layout.ts";
import type { Buffer, Interval, Place, Recording } from "./recording.ts";

/**
 * Where the buffers lie, in bytes from the beginning of the activations. First come the buffers of thread 0, which all
 * threads use in batches whose rows are split, then those that the other threads have for small batches, and then the
 * scratch of all threads.
 */
export class Placement {
  /** For each operation, where threads meet. */
  readonly meetings: readonly Meeting[];
  /** Where the scratch begins. */
  readonly scratch: number;
  private readonly offsets: ReadonlyMap<Buffer, number>;
  private readonly ownOffsets: ReadonlyMap<Buffer, number>;
  private readonly ownBegin: number;
  private readonly ownBytes: number;

  /**
   * @param rows most rows of a batch, and most rows of the head, which makes logits
   * @param cut the first operation of the head, before which a pass may end
   */
  constructor(
    { operations, buffers, threads }: Recording,
    rows: { readonly batch: number; readonly head: number },
    cut: number,
  ) {
    this.meetings = meetings(operations);
    // Between two barriers one thread may be several operations ahead of another. So all buffers that are touched
    // between them count as in use during the whole stretch. One thread alone is never ahead.
    const stretches = [0];
    for (const { barrier } of this.meetings)
      stretches.push(stretches.at(-1)! + (threads === 1 || barrier === "always" ? 1 : 0));
    // Quantised rows lie in tiles; the last tile may have unused rows.
    const all = place(
      buffers,
      ({ stride, interval }) => align(stride * align(interval.first < cut ? rows.batch : rows.head, TILE_TOKENS)),
      (operation) => stretches[operation]!,
    );
    const own = place(
      buffers.filter(({ perThread }) => perThread),
      ({ stride }) => align(stride * align(SMALL_BATCH, TILE_TOKENS)),
      (operation) => operation,
    );
    this.offsets = all.offsets;
    this.ownOffsets = own.offsets;
    this.ownBegin = all.total;
    this.ownBytes = own.total;
    this.scratch = this.ownBegin + (threads - 1) * own.total;
  }

  /** The offset of the first row of a place, in bytes from the beginning of the activations, in a thread's program. */
  offsetOf({ buffer, offset }: Place, thread = 0): number {
    if (thread === 0 || !buffer.perThread) return this.offsets.get(buffer)! + offset;
    return this.ownBegin + (thread - 1) * this.ownBytes + this.ownOffsets.get(buffer)! + offset;
  }
}

/** Places buffers of so many bytes. Their intervals are counted in the moments that `moment` makes of operations. */
function place(
  buffers: readonly Buffer[],
  bytesOf: (buffer: Buffer) => number,
  moment: (operation: number) => number,
): { offsets: Map<Buffer, number>; total: number } {
  const intervals = buffers.map(({ interval }) => ({ first: moment(interval.first), last: moment(interval.last) }));
  const { offsets, total } = placeBuffers(intervals, buffers.map(bytesOf));
  return { offsets: new Map(buffers.map((buffer, i) => [buffer, offsets[i]!])), total };
}

/**
 * Places buffers first fit, in the order of their first use: every buffer goes to the lowest offset that no buffer in
 * use covers. Two buffers share bytes only if the intervals of their use do not overlap.
 * @param bytes sizes, already aligned
 */
export function placeBuffers(
  intervals: readonly Interval[],
  bytes: readonly number[],
): { offsets: number[]; total: number } {
  const offsets: number[] = [];
  let total = 0;
  let living: number[] = [];
  intervals.forEach((interval, i) => {
    living = living.filter((j) => intervals[j]!.last >= interval.first);
    living.sort((a, b) => offsets[a]! - offsets[b]!);
    let offset = 0;
    for (const j of living) {
      if (offset + bytes[i]! <= offsets[j]!) break;
      offset = Math.max(offset, offsets[j]! + bytes[j]!);
    }
    offsets.push(offset);
    living.push(i);
    total = Math.max(total, offset + bytes[i]!);
  });
  return { offsets, total };
}
