/**
 * Places activation buffers: two buffers may share bytes when their lives do not overlap.
 * @module
 */

/** First and last operation that touches a buffer, both included. */
export interface Interval {
  readonly first: number;
  last: number;
}

/**
 * First fit in order of birth: every buffer goes to the lowest offset that no living buffer covers.
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
