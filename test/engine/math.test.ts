import { describe, expect, it } from "vitest";
import { exp, log, pow } from "../../src/base/math.ts";
import { philox, uniform } from "../../src/engine/sample/random.ts";

function* doubles(count: number, low: number, high: number) {
  for (let i = 0; i < count; i++) yield low + (high - low) * uniform(7, i, 0);
}
const relative = (got: number, expected: number) => Math.abs(got - expected) / Math.abs(expected);

describe("exp", () => {
  it("has a relative error below 1e-14", () => {
    let worst = 0;
    for (const [low, high] of [
      [-1, 1],
      [-40, 0],
      [-708, 709],
    ] as const) {
      for (const x of doubles(50_000, low, high)) worst = Math.max(worst, relative(exp(x), Math.exp(x)));
    }
    expect(worst).toBeLessThan(1e-14);
    expect(worst).toBeGreaterThan(0);
  });
  it("is right at the ends", () => {
    expect([0, -0, -Infinity, Infinity, Number.NaN, -800, 800].map(exp)).toEqual([
      1,
      1,
      0,
      Infinity,
      Number.NaN,
      0,
      Infinity,
    ]);
    expect(relative(exp(709.5), Math.exp(709.5))).toBeLessThan(1e-13);
    expect(relative(exp(-720), Math.exp(-720))).toBeLessThan(1e-9); // subnormal
    expect(exp(709.9)).toBe(Infinity);
    expect(exp(-745.13)).toBe(5e-324);
    expect(exp(-746)).toBe(0);
  });
  it("gives these bits on every host", () => {
    expect([0.1, -0.7, 1.5, -37.123, 20].map(exp)).toEqual([
      1.1051709180756477, 0.4965853037914095, 4.4816890703380645, 7.545463946346382e-17, 485165195.4097903,
    ]);
    expect([0.3, 2.5, 3.7, 128256.5, 1e-300].map(log)).toEqual([
      -1.2039728043259361, 0.9162907318741551, 1.308332819650179, 11.761787444009922, -690.7755278982137,
    ]);
  });
});

describe("log", () => {
  it("has a relative error below 1e-14, also next to 1 and for subnormal numbers", () => {
    let worst = 0;
    for (const [low, high] of [
      [1e-12, 2],
      [0.99, 1.01],
      [1, 1e6],
      [1e-310, 1e-307],
    ] as const) {
      for (const x of doubles(50_000, low, high)) worst = Math.max(worst, relative(log(x), Math.log(x)));
    }
    expect(worst).toBeLessThan(1e-14);
    expect(log(1 + 2 ** -52)).toBe(2 ** -52);
  });
  it("is right at the ends", () => {
    expect([0, -0, -1, Infinity, Number.NaN, 1].map(log)).toEqual([
      -Infinity,
      -Infinity,
      Number.NaN,
      Infinity,
      Number.NaN,
      0,
    ]);
    expect(log(5e-324)).toBeCloseTo(Math.log(5e-324), 12);
  });
});

describe("pow", () => {
  it("has a relative error below 1e-13 where RoPE needs it", () => {
    let worst = 0;
    for (const base of [1e4, 1e5, 5e5, 1e6, 8e6])
      for (const y of doubles(10_000, 0, 1)) worst = Math.max(worst, relative(pow(base, y), base ** y));
    expect(worst).toBeLessThan(1e-13);
    expect(pow(1e6, 0)).toBe(1);
  });
});

describe("random numbers", () => {
  // Known answers of the authors' Random123 library (kat_vectors, philox4x32 10).
  it("philox", () => {
    const hex = (words: number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    const f = 0xffffffff;
    expect(hex(philox([f, f, f, f], [f, f]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
    expect(hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    );
  });
  it("uniform depends on seed, position and choice, and stays in [0, 1)", () => {
    const values = new Set<number>();
    for (const seed of [0, 1, -1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)]) {
      for (let position = 0; position < 50; position++) {
        for (let choice = 0; choice < 4; choice++) values.add(uniform(seed, position, choice));
      }
    }
    expect(values.size).toBe(6 * 50 * 4);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
  });
  it("uniform is even (chi-square, 100 bins)", () => {
    const bins = new Array<number>(100).fill(0);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(uniform(42, i, 0) * 100)]!++;
    const chi = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chi).toBeLessThan(148.2); // 99 degrees of freedom, p = 0.001
    expect(chi).toBeGreaterThan(61); // too even would be wrong too
  });
});
