// Norms, RoPE, activation functions and math are close to results in double precision, within stated bounds.
// All builds give the same bits (reference.test.ts), so one build is enough here.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KernelMemory } from "../helpers/kernel-memory.ts";
import { Random } from "../helpers/random.ts";
import { loadBuild } from "../helpers/wasm-builds.ts";

const build = loadBuild("simd");

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

it("logF64 has relative error below 2e-15", () => {
  const log = build.kernels.logF64! as (x: number) => number;
  expect(log(1)).toBe(0);
  for (let x = 1.0001; x < 2 ** 31; x *= 1.007) expect(Math.abs(log(x) / Math.log(x) - 1)).toBeLessThan(2e-15);
});

it("scaleByPosition multiplies by 1 + beta ln(1 + floor(position / length))", () => {
  const memory = new KernelMemory(build);
  for (const [position, length] of [
    [0, 16],
    [15, 16],
    [16, 16],
    [1_000_000, 3],
  ] as const) {
    const x = memory.put(Float32Array.of(1, 2, -3, 4));
    memory.run("scaleByPosition", { x, n: 4, position, length, beta: 0.25 });
    const factor = 1 + 0.25 * Math.log(1 + Math.floor(position / length));
    expect([...memory.floats(x, 4)]).toEqual([1, 2, -3, 4].map((value) => Math.fround(value * Math.fround(factor))));
  }
});

it("softplusF32 has relative error below 3e-7 from -87 to 87", () => {
  const softplus = build.kernels.softplusF32! as (x: number) => number;
  let worst = 0;
  for (let x = -87; x < 87; x += 1.7e-3) {
    const y = Math.fround(x);
    const exact = Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));
    worst = Math.max(worst, Math.abs(softplus(y) / exact - 1));
  }
  expect(worst).toBeLessThan(3e-7);
  expect([softplus(-1e30), softplus(Infinity)]).toEqual([0, Infinity]);
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

it("geluErf is within 2.4e-7 max(1, |x| / 8) of GELU's exact form, within 1e-7 below 0, and exact where that is x or 0", () => {
  const n = 8000;
  const memory = new KernelMemory(build);
  const inputs = Float32Array.from({ length: n }, (_, i) => (i - n / 2) * 0.0021 + 0.0003);
  const x = memory.put(inputs);
  memory.run("geluErf", { x, n });
  memory.floats(x, n).forEach((actual, i) => {
    const value = inputs[i]!;
    const truth = value * normalCdf(value);
    const bound = value < 0 ? 1e-7 : 2.4e-7 * Math.max(1, value / 8);
    expect(Math.abs(actual - truth)).toBeLessThanOrEqual(bound);
  });
  const ends = memory.put(Float32Array.of(-100, 0, 14, 1e20));
  memory.run("geluErf", { x: ends, n: 4 });
  expect([...memory.floats(ends, 4)].map(Math.abs)).toEqual([0, 0, 14, Math.fround(1e20)]);
});

/** The normal distribution function, by its series for small |x| and its continued fraction for large ones. */
function normalCdf(x: number): number {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let k = 3; k < 120; k += 2) sum += term *= (a * a) / k;
    return 0.5 + Math.sign(x) * density * sum;
  }
  let fraction = a;
  for (let k = 60; k > 0; k--) fraction = a + k / fraction;
  return x < 0 ? density / fraction : 1 - density / fraction;
}

it.each([0, 100])("layerNorm is within 1e-6 of double precision around a mean of %i", (shift) => {
  const n = 384;
  const random = new Random("layerNorm");
  const memory = new KernelMemory(build);
  const [inputs, w, b] = [random.normals(n).map((value) => value + shift), random.normals(n), random.normals(n)];
  const dst = memory.reserve(4 * n);
  const vectors = { weight: memory.put(w), bias: memory.put(b) };
  memory.run("layerNorm", { dst, src: memory.put(inputs), ...vectors, n, eps: 1e-12 });
  const mean = inputs.reduce((sum, value) => sum + value, 0) / n;
  const variance = inputs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const size = Math.max(1, shift / 4);
  memory.floats(dst, n).forEach((actual, i) => {
    const truth = ((inputs[i]! - mean) / Math.sqrt(variance + 1e-12)) * w[i]! + b[i]!;
    expect(Math.abs(actual - truth)).toBeLessThanOrEqual(1e-6 * size * Math.max(1, Math.abs(w[i]!)) * 4);
  });
});
