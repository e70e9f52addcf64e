import { describe, expect, test } from "vitest";
import { percent, quantile, ratio, spread, spreadText } from "../../bench/statistics.ts";

describe("statistics", () => {
  test("quantiles interpolate, in any order of the values", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 2, 30], 0.5)).toBe(10);
    expect(quantile([7], 0.25)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test("a spread is the median and the middle half", () => {
    expect(spread([5, 1, 2, 4, 3])).toEqual({ median: 3, low: 2, high: 4 });
  });

  test("a ratio pairs what ran in the same round, as far as both ran", () => {
    // In the second round another process halves both rates; the ratio stays the same.
    expect(ratio([20, 10, 20], [10, 5, 10])).toEqual({ median: 2, low: 2, high: 2 });
    expect(ratio([30, 8, 8, 8], [10])).toEqual({ median: 3, low: 3, high: 3 });
    expect(ratio([30], [10, 1, 1])).toEqual({ median: 3, low: 3, high: 3 });
  });

  test("text: three digits, shares in percent", () => {
    expect(spreadText({ median: 1.268, low: 1.25, high: 1.3 })).toBe("1.27 (1.25-1.30)");
    expect(spreadText({ median: 21.33, low: 9.99, high: 22 })).toBe("21.3 (10.0-22.0)");
    expect(spreadText({ median: 712.4, low: 700, high: 720.6 })).toBe("712 (700-721)");
    expect([percent(0.734), percent(undefined)]).toEqual(["73 %", ""]);
  });
});
