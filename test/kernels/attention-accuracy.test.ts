// Attention over the KV cache agrees with double precision, within stated bounds.
// All builds give the same bits (reference.test.ts), so one build is enough here.
import { describe, expect, it } from "vitest";
import { attentionScratchBytes, type KvType, kvHeadBytes } from "../../src/runtime/layout.ts";
import { kvId } from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation, queryBlock } from "../helpers/kernel-records.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";
import { normalizedError } from "./normalized-error.ts";

const build = loadBuild("simd");

describe("attention", () => {
  const headDim = 64;

  /** The attention of one query after kvStore of every token, and softmax attention in double precision. */
  function attend(
    kvType: KvType,
    position: number,
    sharpness: number,
    { window = 0, cap = 0 } = {},
  ): { actual: Float32Array; truth: number[] } {
    const random = new Random(`${position}`);
    const memory = new KernelMemory(build);
    const pageCount = (position >> 5) + 1;
    const pageBytes = kvHeadBytes(kvType, headDim);
    const pages = memory.reserve(pageCount * pageBytes);
    const scratch = memory.reserve(attentionScratchBytes(headDim));
    const keys: Float32Array[] = [];
    const values: Float32Array[] = [];
    for (let t = 0; t <= position; t++) {
      keys.push(random.normals(headDim));
      values.push(random.normals(headDim));
      const page = pages + (t >> 5) * pageBytes;
      const [key, value] = [memory.put(keys[t]!), memory.put(values[t]!)];
      memory.run("kvStore", { page, token: t % 32, key, value, headDim, kvType: kvId(kvType), scratch });
    }
    const q = random.normals(headDim, sharpness);
    const dst = memory.reserve(4 * headDim);
    const table = memory.put(Uint32Array.from({ length: pageCount }, (_, i) => i));
    const scale = Math.fround(headDim ** -0.5);
    const shape = { heads: 1, kvHeads: 1, headDim, kvType: kvId(kvType), pages };
    const fields = { dst, src: memory.put(q), ...shape, scale, window, softcap: cap };
    const op = memory.put(operation("attention", fields));
    memory.run("attention", { op, block: memory.put(queryBlock([position], table)), kvHead: 0, scratch });
    const scores = keys.map((key, t) => {
      const score = key.reduce((sum, value, d) => sum + value * q[d]!, 0) * scale;
      if (window && position - t >= window) return -Infinity;
      return cap ? cap * Math.tanh(score / cap) : score;
    });
    const top = Math.max(...scores);
    const exps = scores.map((score) => Math.exp(score - top));
    const total = exps.reduce((sum, e) => sum + e, 0);
    const truth = Array.from({ length: headDim }, (_, d) =>
      values.reduce((sum, value, t) => sum + (exps[t]! / total) * value[d]!, 0),
    );
    return { actual: memory.floats(dst, headDim), truth };
  }

  // With sharpness 40, scores reach about +-100, where e^score leaves the range of f32.
  it.each([0, 1, 31, 32, 63, 200])("f32 at position %i: NMSE at most 2e-13", (position) => {
    for (const sharpness of [1, 40]) {
      const { actual, truth } = attend("f32", position, sharpness);
      expect(normalizedError(actual, truth)).toBeLessThan(2e-13);
    }
  });

  it.each([1, 16, 32, 33, 150, 500])("window %i, scores within +-3: the same bounds", (window) => {
    for (const [kvType, bound] of [
      ["f32", 2e-13],
      ["int8", 1.5e-4],
      ["mixed", 7e-5],
    ] as const) {
      const { actual, truth } = attend(kvType, 200, 1, { window, cap: 3 });
      expect(normalizedError(actual, truth)).toBeLessThan(bound);
    }
  });

  it.each([0, 1, 31, 32, 63, 200])("int8 at position %i: NMSE at most 1.5e-4, mixed 7e-5", (position) => {
    for (const [kvType, bound] of [
      ["int8", 1.5e-4],
      ["mixed", 7e-5],
    ] as const) {
      const { actual, truth } = attend(kvType, position, 1);
      expect(normalizedError(actual, truth)).toBeLessThan(bound);
    }
  });
});
