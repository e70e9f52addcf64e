import { describe, expect, it } from "vitest";
import { exp, log, pow } from "../../src/base/math.ts";

const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

/** The largest of `error` over a sweep. */
function worst(from: number, to: number, next: (x: number) => number, error: (x: number) => number): number {
  let top = 0;
  for (let x = from; x < to; x = next(x)) top = Math.max(top, error(x));
  return top;
}

describe("exp", () => {
  const error = (x: number): number => relative(exp(x), Math.exp(x));

  it("has relative error below 1e-15 from -708 to 709", () => {
    expect(worst(-708, 709, (x) => x + 0.00713, error)).toBeLessThan(1e-15);
  });

  it("has relative error below 1e-15 near 0, on both sides", () => {
    expect(
      worst(
        1e-18,
        2,
        (x) => x * 1.0007,
        (x) => Math.max(error(x), error(-x)),
      ),
    ).toBeLessThan(1e-15);
  });

  it("has relative error below 1.3e-13 next to the largest number, where x - ln 2 is rounded", () => {
    expect(worst(709, 709.78, (x) => x + 0.000713, error)).toBeLessThan(1.3e-13);
  });

  it("gives subnormal numbers within 1.3e-13 and their last bit", () => {
    for (let x = -708; x > -745; x -= 0.37) {
      expect(Math.abs(exp(x) - Math.exp(x))).toBeLessThanOrEqual(1.3e-13 * Math.exp(x) + 5e-324);
    }
  });
});

describe("log", () => {
  it("has relative error below 1e-15 away from 1, over the whole range", () => {
    const error = (x: number): number => (Math.abs(x - 1) < 0.01 ? 0 : relative(log(x), Math.log(x)));
    expect(worst(1e-307, 1e307, (x) => x * 1.0113, error)).toBeLessThan(1e-15);
    expect(worst(0.01, 100, (x) => x + 0.00037, error)).toBeLessThan(1e-15);
  });

  it("has relative error below 1e-15 next to 1 too", () => {
    for (let e = 2 ** -52; e < 0.01; e *= 1.1) {
      expect(relative(log(1 + e), Math.log(1 + e))).toBeLessThan(1e-15);
      expect(relative(log(1 - e), Math.log(1 - e))).toBeLessThan(1e-15);
    }
  });

  it("takes subnormal numbers", () => {
    for (const x of [5e-324, 1e-320, 2.2250738585072009e-308])
      expect(relative(log(x), Math.log(x))).toBeLessThan(1e-15);
  });

  it("is exact at the edges of its range", () => {
    expect([log(1), log(0), log(-0), log(Infinity)]).toEqual([0, -Infinity, -Infinity, Infinity]);
    expect([log(-1), log(-Infinity), log(Number.NaN)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(relative(log(Number.MAX_VALUE), Math.log(Number.MAX_VALUE))).toBeLessThan(1e-15);
  });

  it("undoes exp", () => {
    expect(
      worst(
        1,
        700,
        (x) => x + 0.37,
        (x) => relative(log(exp(x)), x),
      ),
    ).toBeLessThan(1e-15);
  });
});

describe("pow", () => {
  it("has relative error below 1e-15 times 1 + |y log x|, the condition of the problem", () => {
    for (const x of [1e-300, 0.001, 0.5, 0.999, 1, 1.5, 2, 10, 10000, 500000, 1e300]) {
      for (const y of [-1, -0.5, -0.015625, 0.001, 0.5, 0.8125, 1]) {
        expect(relative(pow(x, y), x ** y)).toBeLessThan(1e-15 * (1 + Math.abs(y * Math.log(x))));
      }
    }
  });

  it("is 1 for y = 0", () => {
    expect([pow(3, 0), pow(0.1, -0), pow(Infinity, 0)]).toEqual([1, 1, 1]);
  });
});

describe("exp and log", () => {
  it("exp is right at the ends of its range", () => {
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
