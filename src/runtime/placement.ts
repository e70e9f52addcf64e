/**
 * Decides where threads meet, and where each activation buffer lies.
 * @module
 */
import { align, TILE_TOKENS } from "./layout.ts";
import { OPERATIONS } from "./operations.ts";
import type { Buffer, Interval, Place, Recording } from "./recording.ts";

/** Where the buffers lie, in bytes from the beginning of the activations. */
export class Placement {
  /** For each operation, whether threads must meet after it. */
  readonly barriers: readonly boolean[];
  /** Where the scratch begins. */
  readonly scratch: number;
  private readonly offsets: ReadonlyMap<Buffer, number>;

  /**
   * @param rows most rows of a batch, and most rows of the head, which makes logits
   * @param cut the first operation of the head, before which a pass may end
   */
  constructor(
    { operations, buffers }: Recording,
    rows: { readonly batch: number; readonly head: number },
    cut: number,
  ) {
    this.barriers = operations.map(({ name, rows }, i) => {
      const next = operations[i + 1];
      const ahead = next && OPERATIONS[name].rowLocal && OPERATIONS[next.name].rowLocal && next.rows === rows;
      return !ahead || i + 1 === cut;
    });
    // Between two barriers one thread may be several operations ahead of another. So all buffers that are touched
    // between them count as in use during the whole stretch.
    const stretches = [0];
    for (const barrier of this.barriers) stretches.push(stretches.at(-1)! + (barrier ? 1 : 0));
    // Quantised rows lie in tiles; the last tile may have unused rows.
    const bytes = buffers.map(({ stride, interval }) =>
      align(stride * align(interval.first < cut ? rows.batch : rows.head, TILE_TOKENS)),
    );
    const placed = placeBuffers(
      buffers.map(({ interval }) => ({ first: stretches[interval.first]!, last: stretches[interval.last]! })),
      bytes,
    );
    this.offsets = new Map(buffers.map((buffer, i) => [buffer, placed.offsets[i]!]));
    this.scratch = placed.total;
  }

  /** The offset of the first row of a place, in bytes from the beginning of the activations. */
  offsetOf({ buffer, offset }: Place): number {
    return this.offsets.get(buffer)! + offset;
  }
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
