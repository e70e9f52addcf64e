/**
 * An adapter's facts, whatever its container.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { TensorInfo } from "../checkpoint.ts";

/** What is added to one product. */
export interface LowRank {
  /** [rank, in]: F32, F16 or BF16. */
  readonly a: TensorInfo;
  /** [out, rank]: F32, F16 or BF16. */
  readonly b: TensorInfo;
  readonly scale: number;
}

export interface Adapter {
  /** By the name of W, such as `blk.0.attn_q.weight`. */
  readonly products: ReadonlyMap<string, LowRank>;
  close(): Promise<void>;
}

/** An adapter as its file holds it. */
export interface AdapterFile extends Adapter {
  /** Whether q and k rows of `llama` have llama.cpp's order. */
  readonly permutedQK: boolean;
}

/** Ranks in use are 4 to 256. */
const MAX_RANK = 4096;

/**
 * The halves of every product put together and checked.
 * @param scaleOf from the name of W and the rank
 * @throws NibbleError `missing_tensor`, `bad_shape`, `unsupported_type`, `bad_value`
 */
export function pairHalves(
  halves: { readonly a: ReadonlyMap<string, TensorInfo>; readonly b: ReadonlyMap<string, TensorInfo> },
  scaleOf: (name: string, rank: number) => number,
): Map<string, LowRank> {
  const products = new Map<string, LowRank>();
  for (const name of new Set([...halves.a.keys(), ...halves.b.keys()])) {
    // The table is also the head of many models: a change of one would be half of the adapter.
    if (name === "token_embd.weight")
      throw new NibbleError("unsupported_architecture", "adapter of token_embd: this version adapts products only");
    const a = halves.a.get(name);
    const b = halves.b.get(name);
    if (!a || !b)
      throw new NibbleError("missing_tensor", `adapter of ${name}: expected A and B, ${a ? "B" : "A"} is missing`);
    const rank = a.shape[0]!;
    if (a.shape.length !== 2 || b.shape.length !== 2 || b.shape[1] !== rank || rank < 1 || rank > MAX_RANK) {
      const expected = `expected A [rank, in] and B [out, rank], rank 1 to ${MAX_RANK}`;
      throw new NibbleError("bad_shape", `adapter of ${name}: ${expected}, got [${a.shape}] and [${b.shape}]`);
    }
    for (const { type } of [a, b]) {
      if (type !== "F32" && type !== "F16" && type !== "BF16")
        throw new NibbleError("unsupported_type", `adapter of ${name}: expected F32, F16 or BF16, got ${type}`);
    }
    const scale = Math.fround(scaleOf(name, rank));
    if (!Number.isFinite(scale))
      throw new NibbleError("bad_value", `adapter of ${name}: expected a finite alpha, got a scale of ${scale}`);
    products.set(name, { a, b, scale });
  }
  if (products.size === 0) throw new NibbleError("missing_tensor", "expected an adapter with tensors, got none");
  return products;
}
