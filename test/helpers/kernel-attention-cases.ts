/**
 * Makes the cases of kvStore and of attention.
 * @module
 */
import { attentionScratchBytes, type KvType, kvHeadBytes, kvStoreScratchBytes } from "../../src/runtime/layout.ts";
import { activations, type Case, seeded } from "./kernel-cases.ts";
import { type Cached, keyBytes, keyOffsets, kvId, kvPages, valueOffsets } from "./kernel-data.ts";
import { operation, queryBlock } from "./kernel-records.ts";
import type { Random } from "./random.ts";

export function kvStore(kvType: KvType, headDim: number, token: number, pattern: string): Case {
  return seeded(`${kvType} head ${headDim} token ${token} ${pattern}`, (arena, random) => {
    const keys = arena.reserve(kvHeadBytes(kvType, headDim));
    const values = keys + keyBytes(kvType, headDim);
    const float = kvType === "f32";
    for (const offset of keyOffsets(kvType, headDim, token)) {
      arena.owned(keys + offset, float ? 4 : kvType === "mixed" ? 2 : 1, float ? "f32" : "bytes");
    }
    for (const offset of valueOffsets(kvType, headDim, token)) {
      arena.owned(values + offset, float ? 4 : 1, float ? "f32" : "bytes");
    }
    if (!float) for (const scales of [keys, values]) arena.owned(scales + 4 * token, 4, "f32");
    const key = arena.input(activations(pattern, headDim, random));
    const value = arena.input(activations(pattern, headDim, random).reverse());
    const scratch = arena.output(kvStoreScratchBytes(headDim), "scratch", 16);
    return { page: keys, token, key, value, headDim, kvType: kvId(kvType), scratch };
  });
}

/**
 * A cached vector: random codes up to both ends of their range, which has 12 bits for keys of the mixed type, and a
 * scale.
 */
function cached(kvType: KvType, part: "key" | "value", headDim: number, random: Random, size = 2.5): Cached {
  if (kvType === "f32") return { values: random.normals(headDim), scale: 1 };
  const limit = kvType === "mixed" && part === "key" ? 2047 : 127;
  const codes = Array.from({ length: headDim }, () => random.integer(-limit, limit));
  const values = limit === 127 ? Int8Array.from(codes) : Int16Array.from(codes);
  return { values, scale: (size / limit) * (0.5 + random.uint32() / 2 ** 32) };
}

export interface Attention {
  readonly kvType: KvType;
  readonly headDim: number;
  /** Positions of the token rows, not decreasing. */
  readonly positions: readonly number[];
  /** Query heads that share the kv head: 1 where left out. */
  readonly heads?: number;
  readonly query?: string;
  /** Factor of the scores: 1 / sqrt(headDim) where left out. */
  readonly scale?: number;
  /** Replaces the value of the token in the middle: all numbers (f32), or the scale. */
  readonly middle?: number;
  /** Size of the largest value. */
  readonly valueSize?: number;
  /** Tokens that a row sees; 0: all. Pages before the windows of all rows have numbers that lead beyond memory. */
  readonly window?: number;
  /** Softcap of the scores; 0: none. */
  readonly cap?: number;
  /** Bidirectional attention over tokens up to this position. */
  readonly end?: number;
}

/** Rows have gaps between them, so that a wrong stride shows. */
export function attention(options: Attention): Case {
  const {
    kvType,
    headDim,
    positions,
    heads = 1,
    query = "normal",
    scale,
    middle,
    valueSize,
    window = 0,
    cap = 0,
    end,
  } = options;
  return seeded(`${JSON.stringify(options)} middle ${middle}`, (arena, random) => {
    const last = end ?? positions.at(-1)!;
    // kvStore gives the codes 0 to a vector whose scale is not finite.
    const special = (value: Cached): Cached =>
      kvType === "f32"
        ? { values: new Float32Array(headDim).fill(middle!), scale: 1 }
        : { values: Number.isFinite(middle) ? value.values : new Int8Array(headDim), scale: middle! };
    const cachedToken = (t: number): { key: Cached; value: Cached } => {
      const value = cached(kvType, "value", headDim, random, valueSize);
      const changed = middle !== undefined && t === last >> 1;
      return { key: cached(kvType, "key", headDim, random), value: changed ? special(value) : value };
    };
    const { pageTable, pages } = kvPages(arena, { kvType, headDim, position: last }, cachedToken);
    // The number of a page that no row may see leads far beyond memory, so that reading it would trap.
    const unseen = window ? Math.max(0, positions[0]! + 1 - window) >> 5 : 0;
    arena.write(pageTable, new Uint32Array(unseen).fill(Math.floor(0x70000000 / kvHeadBytes(kvType, headDim))));
    const bytes = 4 * heads * headDim;
    const [qStride, dstStride] = [bytes + 64, bytes + 128];
    const q = arena.reserve(positions.length * qStride);
    const dst = arena.reserve(positions.length * dstStride);
    positions.forEach((_, r) => {
      for (let h = 0; h < heads; h++) {
        arena.write(q + r * qStride + 4 * h * headDim, activations(query, headDim, random));
      }
      arena.owned(dst + r * dstStride, bytes, "f32");
    });
    const shape = { heads, kvHeads: 1, headDim, kvType: kvId(kvType), pages, scale: scale ?? headDim ** -0.5 };
    const op = operation("attention", {
      dst,
      dstStride,
      src: q,
      srcStride: qStride,
      ...shape,
      window,
      softcap: cap,
      bidirectional: end === undefined ? 0 : 1,
    });
    const block = arena.input(queryBlock(positions, pageTable, last));
    const scratch = arena.output(attentionScratchBytes(headDim), "scratch", 16);
    return { op: arena.input(op), block, kvHead: 0, scratch };
  });
}
