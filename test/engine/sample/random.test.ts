import { describe, expect, it } from "vitest";
import { philox, uniform } from "../../../src/engine/sample/random.ts";

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
