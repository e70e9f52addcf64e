import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rowBytes, type TensorType } from "../../../src/formats/tensor-types.ts";
import { dequantize } from "../../../weights-tools/dequantize/dequantize.ts";
import {
  e2m1Doubled,
  nonLinear4Bit,
  signed3Bit,
  signed4Bit,
  unsigned4Bit,
} from "../../../weights-tools/level-grids.ts";
import { BlockFit, initialSpans } from "../../../weights-tools/quantize/block-fit.ts";
import { quantize } from "../../../weights-tools/quantize/quantize.ts";

const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(new URL(`../../fixtures/quantization/${name}`, import.meta.url)));
const floats = (name: string): Float32Array<ArrayBuffer> => new Float32Array(fixture(name).buffer);

const importance = floats("importance.f32.bin");
const columns = importance.length;
const searched: TensorType[] = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"];
const closedForms: TensorType[] = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"];

function quantized(type: TensorType, values: Float32Array, weights?: Float32Array): Uint8Array {
  const blocks = new Uint8Array(rowBytes(type, values.length));
  quantize(type, values, blocks, weights);
  return blocks;
}

/** Sum of squared errors, each times its weight. */
function error(type: TensorType, values: Float32Array, blocks: Uint8Array, weight: (i: number) => number): number {
  const stored = new Float32Array(values.length);
  dequantize(type, blocks, stored);
  return values.reduce((sum, value, i) => sum + weight(i) * (value - stored[i]!) ** 2, 0);
}

/**
 * The weights that ggml's quantiser of the type uses: squares of the values, or magnitudes for types with a minimum.
 */
function ggmlWeight(type: TensorType, values: Float32Array): (i: number) => number {
  if (type === "MXFP4") return () => 1;
  if (type === "Q2_K") return (i) => Math.abs(values[i]!);
  if (type !== "Q4_K" && type !== "Q5_K") return (i) => values[i]! ** 2;
  return (i) => {
    const start = i - (i % 32);
    const squares = values.subarray(start, start + 32).reduce((sum, value) => sum + value * value, 0);
    return Math.sqrt(squares / 32) + Math.abs(values[i]!);
  };
}

/** The fixtures' own input, and 8 rows of SmolLM2's token_embd. */
const inputs = [
  ["input.f32.bin", ""],
  ["smollm2.f32.bin", "-smollm2"],
] as const;

describe.each(inputs)("%s", (input, suffix) => {
  const values = floats(input);

  it.each(searched)("%s: not worse than ggml, in plain error and in the one that ggml minimises", (type) => {
    const ours = quantized(type, values);
    const ggml = fixture(`${type.toLowerCase()}${suffix}.blocks.bin`);
    for (const weight of [() => 1, ggmlWeight(type, values)]) {
      expect(error(type, values, ours, weight)).toBeLessThanOrEqual(error(type, values, ggml, weight));
    }
  });

  it.each(closedForms)("%s: ggml's bytes", (type) => {
    expect(quantized(type, values)).toEqual(fixture(`${type.toLowerCase()}${suffix}.blocks.bin`));
  });

  it.each([...searched, ...closedForms])(
    "%s, with an importance: not worse than ggml's with it, nor ours without",
    (type) => {
      const ours = error(type, values, quantized(type, values, importance), (i) => importance[i % columns]!);
      const without = error(type, values, quantized(type, values), (i) => importance[i % columns]!);
      const blocks = fixture(`${type.toLowerCase()}${suffix}-importance.blocks.bin`);
      expect(ours).toBeLessThanOrEqual(error(type, values, blocks, (i) => importance[i % columns]!));
      expect(ours).toBeLessThanOrEqual(without);
    },
  );
});

describe.each([...searched, ...closedForms])("%s with an importance", (type) => {
  const values = floats("smollm2.f32.bin");

  it("takes the same columns in every row", () => {
    const rows = Array.from({ length: 8 }, (_, row) =>
      quantized(type, values.subarray(row * columns, (row + 1) * columns), importance),
    );
    expect(Buffer.concat(rows).equals(quantized(type, values, importance))).toBe(true);
  });

  it("depends only on the ratios of the importances", () => {
    const doubled = importance.map((weight) => 2 * weight);
    expect(quantized(type, values, doubled)).toEqual(quantized(type, values, importance));
  });

  it("treats columns that never met an activation as if nothing were known of them", () => {
    const silent = importance.slice().fill(0, 0, 256);
    const blocks = quantized(type, values.subarray(0, columns), silent);
    const part = (weight: Float32Array, of: Uint8Array): number =>
      error(type, values.subarray(0, columns), of, (i) => weight[i]!);
    const first = importance.map((_, i) => (i < 256 ? 1 : 0));
    expect(part(first, blocks)).toBeLessThanOrEqual(1.05 * part(first, quantized(type, values.subarray(0, columns))));
  });

  it("refuses one that does not fit, or is none", () => {
    const shape = expect.objectContaining({ code: "bad_shape" });
    expect(() => quantized(type, values, importance.subarray(0, 16))).toThrow(shape);
    expect(() => quantized(type, values.subarray(0, 256), importance)).toThrow(shape);
    expect(() => quantized(type, values, new Float32Array(0))).toThrow(shape);
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const wrong = importance.slice();
      wrong[77] = bad;
      expect(() => quantized(type, values, wrong)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    }
  });
});

describe("hard blocks", () => {
  const relative = (type: TensorType, values: Float32Array): number => {
    const squares = values.reduce((sum, value) => sum + value * value, 0);
    return Math.sqrt(error(type, values, quantized(type, values), () => 1) / squares);
  };

  it.each(searched)("%s keeps constants, of either sign", (type) => {
    const tolerance = type === "MXFP4" ? 0.15 : 0.02;
    for (const constant of [1.5, -1.5, 1e-3, -3e4]) {
      expect(relative(type, new Float32Array(256).fill(constant))).toBeLessThan(tolerance);
    }
    const oneInEight = Float32Array.from({ length: 256 }, (_, i) => (i < 32 ? 1.5 : Math.sin(i)));
    const first = quantized(type, oneInEight);
    const stored = new Float32Array(256);
    dequantize(type, first, stored);
    expect(Math.max(...stored.subarray(0, 32).map((value) => Math.abs(value - 1.5)))).toBeLessThan(0.1 + tolerance);
  });

  // The smallest F16 scale is 6e-8: K types reach below it only because the integers are chosen for the rounded scale.
  it.each(["Q4_K", "Q5_K", "Q6_K"] as const)("%s keeps weights whose scales are F16 subnormals", (type) => {
    expect(
      relative(
        type,
        Float32Array.from({ length: 256 }, (_, i) => 1e-4 * Math.sin(i)),
      ),
    ).toBeLessThan(0.2);
  });
});

describe("BlockFit", () => {
  const values = floats("smollm2.f32.bin");

  /** Least error over 40,000 scales that leave no level out nor cut off more than half of the peak. */
  it.each([
    ["3 bits", signed3Bit],
    ["4 bits", signed4Bit],
    ["non-linear 4 bits", nonLinear4Bit],
    ["E2M1", e2m1Doubled],
  ])("finds a scale for %s within a twentieth of the best of all", (_, grid) => {
    let found = 0;
    let possible = 0;
    for (let block = 0; block < 12; block++) {
      const fit = new BlockFit(grid, 32);
      fit.values.set(values.subarray(block * 32, block * 32 + 32));
      fit.weights.set(importance.subarray(block * 32, block * 32 + 32));
      fit.select(0, 32);
      const zero = fit.values.reduce((sum, value, i) => sum + fit.weights[i]! * value * value, 0);
      fit.fitScale(initialSpans(grid, 8));
      fit.project(fit.scale, 0);
      found += zero + fit.errorWith(fit.scale, 0);
      const peak = Math.max(fit.highest, -fit.lowest);
      let least = Number.POSITIVE_INFINITY;
      for (let i = -20000; i <= 20000; i++) {
        const scale = ((i / 20000) * 2 * peak) / grid.highest;
        fit.project(scale, 0);
        least = Math.min(least, zero + fit.errorWith(scale, 0));
      }
      possible += least;
    }
    expect(found).toBeLessThan(1.05 * possible);
  });

  it("finds an exact scale and minimum where there are", () => {
    const fit = new BlockFit(unsigned4Bit, 16);
    fit.values.set(Array.from({ length: 16 }, (_, i) => 0.25 * i - 1.5));
    fit.weights.fill(1);
    fit.select(0, 16);
    fit.fitScaleAndMinimum(initialSpans(unsigned4Bit, 4), false);
    expect([fit.scale, fit.minimum]).toEqual([expect.closeTo(0.25, 12), expect.closeTo(1.5, 12)]);
  });
});
