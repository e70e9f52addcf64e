/**
 * An adapter as both containers give it: matrix pairs by the name of the matrix that they belong to.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { TensorInfo } from "../checkpoint.ts";

/** The term that an adapter adds to one product: scale B (A x). */
export interface LowRank {
  /** [rank, in]: F32, F16 or BF16. */
  readonly a: TensorInfo;
  /** [out, rank]: F32, F16 or BF16. */
  readonly b: TensorInfo;
  /** Factor of the sum, in f32. */
  readonly scale: number;
}

/** An open adapter. */
export interface Adapter {
  /** By the name of the model's matrix W, such as `blk.0.attn_q.weight`. */
  readonly products: ReadonlyMap<string, LowRank>;
  /** Closes the files. */
  close(): Promise<void>;
}

/** An adapter as its file holds it. */
export interface AdapterFile extends Adapter {
  /** Whether the q and k rows of architecture `llama` have llama.cpp's order. */
  readonly permutedQK: boolean;
}

/** Ranks in use are from 4 to 256. */
const MAX_RANK = 4096;

/**
 * Pairs the matrices A and B of every product and checks them.
 * @param matrices A and B by the name of W
 * @param scaleOf the scale, from the name of W and the rank
 * @throws NibbleError `missing_tensor`, `bad_shape`, `unsupported_type`, `bad_value`
 */
export function pairMatrices(
  matrices: { readonly a: ReadonlyMap<string, TensorInfo>; readonly b: ReadonlyMap<string, TensorInfo> },
  scaleOf: (name: string, rank: number) => number,
): Map<string, LowRank> {
  const products = new Map<string, LowRank>();
  for (const name of new Set([...matrices.a.keys(), ...matrices.b.keys()])) {
    // In many models the embedding is also the output matrix, and adapting only the lookup would be wrong.
    if (name === "token_embd.weight")
      throw new NibbleError(
        "unsupported_architecture",
        "adapter of token_embd.weight: an adapter of the embedding is not supported; those of matrix products are",
      );
    const a = matrices.a.get(name);
    const b = matrices.b.get(name);
    if (!a || !b) throw new NibbleError("missing_tensor", `adapter of ${name}: matrix ${a ? "B" : "A"} is missing`);
    const rank = a.shape[0]!;
    if (a.shape.length !== 2 || b.shape.length !== 2 || b.shape[1] !== rank || rank < 1 || rank > MAX_RANK) {
      const expected = `expected A [rank, in] and B [out, rank] with a rank from 1 to ${MAX_RANK}`;
      throw new NibbleError("bad_shape", `adapter of ${name}: ${expected}, got [${a.shape}] and [${b.shape}]`);
    }
    for (const { type } of [a, b]) {
      if (type !== "F32" && type !== "F16" && type !== "BF16")
        throw new NibbleError(
          "unsupported_type",
          `adapter of ${name}: type ${type} is not supported; F32, F16 and BF16 are`,
        );
    }
    const scale = Math.fround(scaleOf(name, rank));
    if (!Number.isFinite(scale))
      throw new NibbleError(
        "bad_value",
        `adapter of ${name}: expected an alpha that gives a finite scale, got a scale of ${scale}`,
      );
    products.set(name, { a, b, scale });
  }
  if (products.size === 0) throw new NibbleError("missing_tensor", "the adapter has no tensors");
  return products;
}
