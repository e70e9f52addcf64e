// Kernels against results in double precision, within stated bounds. All builds give the same bits (reference.test.ts), so
// one build is enough here.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  attentionScratchBytes,
  type KvType,
  kvHeadBytes,
  matmulScratchBytes,
  quantizedRowBytes,
} from "../../src/runtime/layout.ts";
import { takesWide } from "../../src/runtime/weight-types.ts";
import {
  ACTIVATIONS,
  codeAt,
  FLOATS,
  kvId,
  metaAt,
  QUANTIZED,
  typeId,
  weights,
  wholeBlocks,
} from "../helpers/kernel-data.ts";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { operation, queryBlock } from "../helpers/kernel-records.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const build = loadBuild("simd");

/** The mean square error over the mean square (NMSE), which is how approximate products are compared. */
function normalizedError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < truth.length; i++) {
    error += (actual[i]! - truth[i]!) ** 2;
    power += truth[i]! ** 2;
  }
  return error / power;
}

describe("expF32", () => {
  const exp = build.kernels.expF32! as (x: number) => number;

  it("has relative error below 1.3e-7 from -87.33 to 88.37", () => {
    let worst = 0;
    for (let x = -87.33; x < 88.37; x += 2.3e-4) {
      const y = Math.fround(x);
      worst = Math.max(worst, Math.abs(exp(y) / Math.exp(y) - 1));
    }
    expect(worst).toBeLessThan(1.3e-7);
  });

  it("has relative error below 1.3e-7 for small numbers of either sign", () => {
    let worst = 0;
    for (let x = 1e-10; x < 1; x *= 1.001) {
      for (const y of [Math.fround(x), Math.fround(-x)]) worst = Math.max(worst, Math.abs(exp(y) / Math.exp(y) - 1));
    }
    expect(worst).toBeLessThan(1.3e-7);
  });

  it("is 1 at 0, 0 below the range, finite above it, NaN for NaN", () => {
    expect([exp(0), exp(-0), exp(-87.34), exp(-1e30), exp(-Infinity)]).toEqual([1, 1, 0, 0, 0]);
    expect(exp(1e30)).toBe(exp(88.376266));
    expect(exp(Infinity)).toBe(exp(1e30));
    expect(exp(1e30)).toBeGreaterThan(2e38);
    expect(exp(Number.NaN)).toBeNaN();
  });
});

describe("tanhF32", () => {
  const tanh = build.kernels.tanhF32! as (x: number) => number;

  it("has relative error below 1.5e-7, is odd and never beyond 1", () => {
    let worst = 0;
    for (let x = 1e-30; x < 100; x *= 1.0001) {
      const y = Math.fround(x);
      worst = Math.max(worst, Math.abs(tanh(y) / Math.tanh(y) - 1));
      if (tanh(-y) !== -tanh(y) || tanh(y) > 1) throw new Error(`tanh(${y}) is ${tanh(y)}, tanh(-${y}) ${tanh(-y)}`);
    }
    expect(worst).toBeLessThan(1.5e-7);
  });

  it("is 0 with its sign at 0, 1 at infinity, NaN for NaN", () => {
    expect([tanh(0), tanh(-0), tanh(Infinity), tanh(-Infinity), tanh(10)]).toEqual([0, -0, 1, -1, 1]);
    expect(tanh(Number.NaN)).toBeNaN();
  });
});

describe("cos and sin", () => {
  it("are below 1e-7 off up to 131,072", () => {
    const memory = new KernelMemory(build);
    const at = memory.reserve(8);
    const view = new Float32Array(build.memory.buffer, at, 2);
    let worst = 0;
    for (let x = 0; x < 131072; x = x * 1.0001 + 1e-4) {
      memory.run("storeCosSin", { x, cosAt: at, sinAt: at + 4 });
      worst = Math.max(worst, Math.abs(view[0]! - Math.cos(x)), Math.abs(view[1]! - Math.sin(x)));
    }
    expect(worst).toBeLessThan(3.1e-8); // half a unit in the last place of f32 below 1 is 2.98e-8
  });

  it.each(["llama", "llama3-rope", "mobilellm-r1"])("equal the tables of transformers within 1e-7: %s", (name) => {
    const url = new URL(`../fixtures/architectures/${name}/reference.json`, import.meta.url);
    const { rope } = JSON.parse(readFileSync(url, "utf8")) as {
      rope: Record<string, { inv_freq: string; at: Record<string, { cos: string; sin: string }> }>;
    };
    const floats = (base64: string): Float32Array =>
      new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
    let compared = 0;
    for (const { inv_freq, at: positions } of Object.values(rope)) {
      const frequencies = floats(inv_freq);
      const pairs = frequencies.length;
      for (const [position, { cos, sin }] of Object.entries(positions)) {
        const memory = new KernelMemory(build);
        const table = memory.reserve(8 * pairs);
        const inverse = memory.put(frequencies);
        memory.run("ropeTable", { dst: table, frequencies: inverse, pairs, position: Number(position) });
        const actual = memory.floats(table, 2 * pairs);
        const expected = [...floats(cos), ...floats(sin)];
        expect(Math.max(...expected.map((value, j) => Math.abs(value - actual[j]!)))).toBeLessThan(1e-7);
        compared += expected.length;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(3 * 64);
  });
});

it("ropeHead turns each pair by its angle and keeps its length, within 2e-7", () => {
  const pairs = 32;
  for (const interleaved of [0, 1]) {
    const memory = new KernelMemory(build);
    const values = new Random("rope").normals(2 * pairs);
    const x = memory.put(values);
    const frequencies = Float32Array.from({ length: pairs }, (_, j) => 10000 ** (-j / pairs));
    const table = memory.reserve(8 * pairs);
    memory.run("ropeTable", { dst: table, frequencies: memory.put(frequencies), pairs, position: 77 });
    memory.run("ropeHead", { x, table, pairs, interleaved });
    const actual = memory.floats(x, 2 * pairs);
    for (let j = 0; j < pairs; j++) {
      const [i, k] = interleaved ? [2 * j, 2 * j + 1] : [j, j + pairs];
      const angle = Math.fround(77 * frequencies[j]!);
      const length = Math.hypot(values[i]!, values[k]!);
      const truth = values[i]! * Math.cos(angle) - values[k]! * Math.sin(angle);
      expect(Math.abs(actual[i]! - truth)).toBeLessThan(2e-7 * length);
      expect(Math.abs(Math.hypot(actual[i]!, actual[k]!) - length)).toBeLessThan(2e-7 * length);
    }
  }
});

it("rmsNorm has relative error below 3e-7", () => {
  for (const n of [4, 64, 576, 2048]) {
    const random = new Random(n);
    const memory = new KernelMemory(build);
    const x = random.normals(n, 3);
    const weight = random.normals(n);
    const dst = memory.reserve(4 * n);
    memory.run("rmsNorm", { dst, src: memory.put(x), weight: memory.put(weight), n, eps: 1e-5 });
    const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / n + Math.fround(1e-5));
    memory.floats(dst, n).forEach((actual, i) => {
      const truth = x[i]! * scale * weight[i]!;
      expect(Math.abs(actual - truth)).toBeLessThanOrEqual(3e-7 * Math.abs(truth));
    });
  }
});

it("siluMul has relative error below 4e-7 where e^-x is in range, and vanishes below", () => {
  const n = 4000;
  const memory = new KernelMemory(build);
  const gate = Float32Array.from({ length: n }, (_, i) => (i - n / 2) * 0.0437 + 0.001);
  const up = new Random("silu").normals(n);
  const dst = memory.reserve(4 * n);
  memory.run("siluMul", { dst, gate: memory.put(gate), up: memory.put(up), n });
  memory.floats(dst, n).forEach((actual, i) => {
    const truth = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
    expect(Math.abs(actual - truth)).toBeLessThanOrEqual(4e-7 * Math.abs(truth));
  });
  const ends = memory.put(Float32Array.of(-100, -1e4, 100, 1e4));
  memory.run("siluMul", { dst, gate: ends, up: memory.put(new Float32Array(4).fill(1)), n: 4 });
  const [low, lower, high, higher] = memory.floats(dst, 4);
  expect(Math.abs(low!)).toBeLessThan(1e-35);
  expect(Math.abs(lower!)).toBeLessThan(1e-33);
  expect([high, higher]).toEqual([100, 1e4]);
});

it("geluMul is within 3e-7 max(1, |x|) of GELU's tanh form, and exact where that is x or 0", () => {
  const n = 8000;
  const memory = new KernelMemory(build);
  const gate = Float32Array.from({ length: n }, (_, i) => (i - n / 2) * 0.0021 + 0.0003);
  const dst = memory.reserve(4 * n);
  memory.run("geluMul", { dst, gate: memory.put(gate), up: memory.put(new Float32Array(n).fill(1)), n });
  memory.floats(dst, n).forEach((actual, i) => {
    const x = gate[i]!;
    const truth = (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    expect(Math.abs(actual - truth)).toBeLessThanOrEqual(3e-7 * Math.max(1, Math.abs(x)));
  });
  const ends = Float32Array.of(-100, 0, 12, 1e20);
  memory.run("geluMul", { dst, gate: memory.put(ends), up: memory.put(new Float32Array(4).fill(1)), n: 4 });
  const [low, ...rest] = memory.floats(dst, 4);
  expect(Math.abs(low!)).toBeLessThan(1e-35);
  expect(rest).toEqual([0, 12, Math.fround(1e20)]);
});

it.each(FLOATS)("matmulRowFloat %s stays within (K / 4 + 16) * 2^-24 * sum |w x|", (type) => {
  for (const columns of [1, 3, 31, 33, 193, 1023, 4096]) {
    const random = new Random(`${type} ${columns}`);
    const memory = new KernelMemory(build);
    const tiles = weights(random, type, 1, columns, { scales: "sane" });
    const w = memory.put(tiles);
    const x = random.normals(columns);
    const dst = memory.reserve(64);
    memory.run("matmulRowFloat", { dst, w, x: memory.put(x), columns, type: typeId(type) });
    const actual = memory.floats(dst, 16);
    const row = memory.reserve(4 * columns);
    for (let r = 0; r < 16; r++) {
      memory.run("embedRow", { dst: row, w, typeId: typeId(type), columns, row: r }); // exact: quantization.test.ts
      const values = memory.floats(row, columns);
      let truth = 0;
      let size = 0;
      for (let c = 0; c < columns; c++) {
        truth += values[c]! * x[c]!;
        size += Math.abs(values[c]! * x[c]!);
      }
      expect(Math.abs(actual[r]! - truth)).toBeLessThanOrEqual((columns / 4 + 16) * 2 ** -24 * size);
    }
  }
});

it.each(QUANTIZED)(
  "%s matmuls: float part in bounds, NMSE against unrounded activations at most 5e-5 (wide: 2e-9)",
  (type) => {
    const columns = wholeBlocks(type, 576);
    const wide = takesWide(type);
    const random = new Random(type);
    const memory = new KernelMemory(build);
    const w = memory.put(weights(random, type, 1, columns, { scales: "sane" }));
    const x = ACTIVATIONS["outlying blocks"]!(columns, random);
    const row = memory.reserve(quantizedRowBytes(columns));
    memory.run("quantizeRow", { dst: row, src: memory.put(x), columns, wide: wide ? 1 : 0, width: 1, tileRow: 0 });
    const place = { at: row, columns, width: 1, tileRow: 0 };
    const digits = Array.from({ length: columns / 32 }, (_, b) => memory.bytes(metaAt(place, b) + 24, 1)[0]);
    expect(new Set(digits)).toEqual(new Set(wide ? [0] : [1, 2])); // the outlying blocks have two
    const code = (c: number) => new Int16Array(memory.bytes(codeAt(place, c), 2).buffer)[0]!;
    const codes = Array.from({ length: columns }, (_, c) => code(c));
    const dst = memory.reserve(64);
    const scratch = memory.reserve(matmulScratchBytes(columns));
    const op = memory.put(operation("matmul", { dst, src: row, weights: w, type: typeId(type), columns }));
    memory.run("matmul", { op, rows: 1, groupBegin: 0, groupEnd: 1, scratch });
    const actual = memory.floats(dst, 16);
    const values = memory.reserve(4 * columns);
    const truth: number[] = [];
    for (let r = 0; r < 16; r++) {
      memory.run("embedRow", { dst: values, w, typeId: typeId(type), columns, row: r });
      const weight = memory.floats(values, columns);
      let [unrounded, rounded, size] = [0, 0, 0];
      for (let c = 0; c < columns; c++) {
        const [d] = memory.floats(metaAt(place, c >> 5), 1);
        unrounded += weight[c]! * x[c]!;
        rounded += weight[c]! * codes[c]! * d!;
        size += Math.abs(weight[c]! * codes[c]! * d!);
      }
      truth.push(unrounded);
      expect(Math.abs(actual[r]! - rounded)).toBeLessThanOrEqual((columns / 4 + 16) * 2 ** -24 * size);
    }
    expect(normalizedError(actual, truth)).toBeLessThan(wide ? 2e-9 : 5e-5);
  },
);

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
    const keys: Float32Array[] = [];
    const values: Float32Array[] = [];
    for (let t = 0; t <= position; t++) {
      keys.push(random.normals(headDim));
      values.push(random.normals(headDim));
      const page = pages + (t >> 5) * pageBytes;
      const [key, value] = [memory.put(keys[t]!), memory.put(values[t]!)];
      memory.run("kvStore", { page, token: t % 32, key, value, headDim, kvType: kvId(kvType) });
    }
    const q = random.normals(headDim, sharpness);
    const dst = memory.reserve(4 * headDim);
    const scratch = memory.reserve(attentionScratchBytes(headDim));
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
