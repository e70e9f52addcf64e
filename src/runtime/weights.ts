/**
 * Streams weights from their source into their final place: a few rows into the staging bytes, from there into tiles.
 * Never two copies.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { rowBytes, tensorTypeFacts } from "../formats/tensor-types.ts";
import type { TensorInfo } from "../formats/types.ts";
import type { Instance } from "./kernels.ts";
import { GROUP_ROWS, groupBytes } from "./layout.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import type { Placement, WeightTable } from "./weight-table.ts";

export interface LoadProgress {
  /** Bytes of weights read, and of all weights. */
  readonly loaded: number;
  readonly total: number;
}

export interface LoadOptions {
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads every tensor of the table.
 * @throws NibbleError `truncated`, `io_error`, `bad_weights`; the signal's reason when aborted
 */
export async function loadWeights(
  instance: Instance,
  plan: MemoryPlan,
  weights: WeightTable,
  options: LoadOptions,
): Promise<void> {
  const total = weights.placements.reduce((sum, { info }) => sum + info.byteLength, 0);
  let loaded = 0;
  for (const placement of weights.placements) {
    for (const { dst, offset, bytes, rows } of pieces(placement, plan)) {
      options.signal?.throwIfAborted();
      await readInto(placement.info, offset, new Uint8Array(instance.memory.buffer, plan.base.activations, bytes));
      if (place(instance, plan, placement, dst, rows) !== 0)
        throw new NibbleError(
          "bad_weights",
          `tensor ${placement.info.name}: expected finite values, got infinity or NaN`,
        );
      loaded += bytes;
      options.onProgress?.({ loaded, total });
    }
  }
}

/** What one read brings: whole row groups, as many as the staging bytes hold. */
function* pieces(
  { kind, info, type, rows, columns, offset }: Placement,
  plan: MemoryPlan,
): Generator<{ dst: number; offset: number; bytes: number; rows: number }> {
  const base = plan.base.weights + offset;
  if (kind === "vector") {
    yield { dst: base, offset: info.offset, bytes: info.byteLength, rows: 1 };
    return;
  }
  const bytesPerRow = rowBytes(type, columns);
  const step = Math.floor(plan.stagingBytes / (GROUP_ROWS * bytesPerRow)) * GROUP_ROWS;
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const dst = base + (row / GROUP_ROWS) * groupBytes(type, columns);
    yield { dst, offset: info.offset + row * bytesPerRow, bytes: count * bytesPerRow, rows: count };
  }
}

function place({ kernels }: Instance, plan: MemoryPlan, placement: Placement, dst: number, rows: number): number {
  const type = tensorTypeFacts(placement.type).id;
  const src = plan.base.activations;
  return placement.kind === "vector"
    ? kernels.widen(dst, src, placement.columns, type)
    : kernels.repack(dst, src, rows, placement.columns, type);
}

async function readInto(info: TensorInfo, offset: number, target: Uint8Array): Promise<void> {
  if (info.source.readInto) await info.source.readInto(offset, target);
  else target.set(await info.source.read(offset, target.length));
}
