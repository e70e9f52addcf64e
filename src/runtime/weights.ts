/**
 * Streams weights from their source into tiles. Rows are read to where their tiles will lie, many pieces at a time. A
 * few rows at a time are then copied to the staging bytes, which stay in a cache, and repacked into tiles. There is
 * never a second copy of the weights.
 *
 * With this order the host's reading threads touch the memory first and take its page faults. Repacking 80 MB takes 60
 * ms into untouched memory, and 20 ms into memory that was read into (docs/performance.md, "Loading").
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { rowBytes, tensorTypeFacts } from "../formats/tensor-types.ts";
import { readInto } from "../io/byte-source.ts";
import type { Instance } from "./kernels.ts";
import { GROUP_ROWS, groupBytes } from "./layout.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import type { WeightPlacement, WeightTable } from "./weight-table.ts";

/** How far loading is. */
export interface LoadProgress {
  /** Bytes of weights that have been read. */
  readonly loaded: number;
  /** Bytes of all weights. */
  readonly total: number;
}

export interface LoadWeightsOptions {
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of a read. */
const PIECE_BYTES = 2 ** 20;
/** Bytes of all reads in progress: many where a source reads in place, few where it must copy. */
const AHEAD_IN_PLACE = 32 * 2 ** 20;
const AHEAD_COPIED = 2 * PIECE_BYTES;
/** Bytes of rows that are repacked at a time, so that they and their tiles stay in the L2 cache. */
const REPACK_BYTES = 2 ** 17;

/** The destination of the weights: a memory of the planned size, and the table of tensors. */
export interface WeightTarget {
  readonly instance: Instance;
  readonly plan: MemoryPlan;
  readonly weights: WeightTable;
}

/**
 * Loads every tensor of the table.
 * @param meanwhile runs once, while the first pieces are being read
 * @throws NibbleError `truncated`, `io_error`, `bad_weights`; the signal's reason when aborted. No read is in progress
 *   then.
 */
export async function loadWeights(
  { instance, plan, weights }: WeightTarget,
  options: LoadWeightsOptions,
  meanwhile?: () => void,
): Promise<void> {
  // In the order of the file, because a stream delivers them so.
  const placements = weights.placements.toSorted((a, b) => a.info.offset - b.info.offset);
  const pieces = placements.flatMap((placement) => piecesOf(placement, plan));
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  options.signal?.throwIfAborted();
  const reads = new ReadAhead(pieces, new Uint8Array(instance.memory.buffer));
  let loaded = 0;
  try {
    meanwhile?.();
    for (const piece of pieces) {
      options.signal?.throwIfAborted();
      await reads.next();
      if (place(instance, plan, piece) !== 0)
        throw new NibbleError(
          "bad_weights",
          `tensor ${piece.placement.info.name}: expected finite values, got infinity or NaN`,
        );
      loaded += piece.bytes;
      options.onProgress?.({ loaded, total });
    }
  } finally {
    await reads.end();
  }
}

/** The result of one read: whole groups of rows, or a vector. */
interface Piece {
  readonly placement: WeightPlacement;
  /** Where it begins in the source. */
  readonly offset: number;
  readonly bytes: number;
  readonly rows: number;
  /** Addresses of the rows as they are read, and of their tiles. */
  readonly raw: number;
  readonly dst: number;
}

/**
 * Cuts a tensor into pieces. Raw rows are read to the end of their matrix's place. Tiles take at least as many bytes as
 * rows, so the tiles of some groups end before the raw rows of the next groups begin.
 */
function piecesOf(placement: WeightPlacement, plan: MemoryPlan): Piece[] {
  const { kind, info, type, rows, columns, bytes } = placement;
  const base = plan.base.weights + placement.offset;
  const raw = base + bytes - info.byteLength;
  if (raw < base) throw new Error(`tensor ${info.name}: tiles of ${bytes} bytes, fewer than the file's`);
  if (kind === "vector") return [{ placement, offset: info.offset, bytes: info.byteLength, rows: 1, raw, dst: base }];
  const bytesPerRow = rowBytes(type, columns);
  const step = groupsIn(PIECE_BYTES, bytesPerRow);
  const pieces: Piece[] = [];
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const dst = base + (row / GROUP_ROWS) * groupBytes(type, columns);
    const at = row * bytesPerRow;
    pieces.push({ placement, offset: info.offset + at, bytes: count * bytesPerRow, rows: count, raw: raw + at, dst });
  }
  return pieces;
}

/** The number of rows in as many whole groups as fit into `bytes`, but at least one group. */
function groupsIn(bytes: number, bytesPerRow: number): number {
  return Math.max(1, Math.floor(bytes / (GROUP_ROWS * bytesPerRow))) * GROUP_ROWS;
}

/** Repacks a piece from raw rows to tiles, by way of the staging bytes. Returns 1 where a value is not finite. */
function place({ kernels, memory }: Instance, { base }: MemoryPlan, { placement, raw, dst, rows }: Piece): number {
  const { kind, type, columns, info } = placement;
  const { id } = tensorTypeFacts(type);
  const bytes = new Uint8Array(memory.buffer);
  const staging = base.activations;
  if (kind === "vector") {
    bytes.copyWithin(staging, raw, raw + info.byteLength);
    return kernels.widen(dst, staging, columns, id);
  }
  const bytesPerRow = rowBytes(type, columns);
  const step = groupsIn(REPACK_BYTES, bytesPerRow);
  let bad = 0;
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const from = raw + row * bytesPerRow;
    bytes.copyWithin(staging, from, from + count * bytesPerRow);
    bad |= kernels.repack(dst + (row / GROUP_ROWS) * groupBytes(type, columns), staging, count, columns, id);
  }
  return bad;
}

/** Reads pieces in order, and some pieces ahead of the one that is awaited. */
class ReadAhead {
  readonly #pieces: readonly Piece[];
  readonly #memory: Uint8Array;
  /** Reads in progress, oldest first, and their bytes. */
  readonly #reads: Promise<void>[] = [];
  #ahead = 0;
  #started = 0;
  #taken = 0;

  /** Starts reading. */
  constructor(pieces: readonly Piece[], memory: Uint8Array) {
    this.#pieces = pieces;
    this.#memory = memory;
    this.#fill();
  }

  /** Waits for the next piece. */
  async next(): Promise<void> {
    await this.#reads.shift();
    this.#ahead -= this.#pieces[this.#taken++]!.bytes;
    this.#fill();
  }

  /** Waits until no read is in progress, whether reads succeed or fail. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#reads);
  }

  #fill(): void {
    for (; this.#started < this.#pieces.length; this.#started++) {
      const { placement, offset, bytes, raw } = this.#pieces[this.#started]!;
      const limit = placement.info.source.readInto ? AHEAD_IN_PLACE : AHEAD_COPIED;
      if (this.#ahead > 0 && this.#ahead + bytes > limit) return;
      const read = readInto(placement.info.source, offset, this.#memory.subarray(raw, raw + bytes));
      read.catch(() => {}); // `next` reports the error
      this.#reads.push(read);
      this.#ahead += bytes;
    }
  }
}
