import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "../../../src/formats/float16.ts";
import { rowBytes, type TensorType } from "../../../src/formats/tensor-types.ts";
import { canDequantize, dequantize } from "../../../weights-tools/dequantize/dequantize.ts";
import { canQuantize, quantize } from "../../../weights-tools/quantize/quantize.ts";

/** Made by gguf-py and compared with ggml's C; see test/fixtures/quantization. */
const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(new URL(`../../fixtures/quantization/${name}`, import.meta.url)));
const floats = (name: string): Float32Array => new Float32Array(fixture(name).buffer);

/**
 * Without an importance matrix, the quantisers of these types have a closed form and give ggml's bytes.
 * searches.test.ts tests the other types.
 */
const closedForms: TensorType[] = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"];
const searched: TensorType[] = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"];
const blockTypes = [...closedForms.slice(2), ...searched];
const bytesOf = (type: TensorType, count: number): Uint8Array => new Uint8Array(rowBytes(type, count));

/** The same bits, so that -0 is not 0. */
function expectSameBits(actual: Float32Array, expected: Float32Array): void {
  expect(new Uint32Array(actual.buffer)).toEqual(new Uint32Array(expected.buffer));
}

function stored(type: TensorType, values: Float32Array): Float32Array {
  const blocks = bytesOf(type, values.length);
  quantize(type, values, blocks);
  const result = new Float32Array(values.length).fill(Number.NaN);
  dequantize(type, blocks, result);
  return result;
}

describe.each(closedForms)("%s", (type) => {
  const name = type.toLowerCase();

  it("quantises to the bytes of gguf-py and ggml", () => {
    const input = floats("input.f32.bin");
    const blocks = bytesOf(type, input.length);
    quantize(type, input, blocks);
    expect(blocks).toEqual(fixture(`${name}.blocks.bin`));
  });

  it("dequantises bit-equal to ggml", () => {
    const expected = floats(`${name}.f32.bin`);
    const values = new Float32Array(expected.length);
    dequantize(type, fixture(`${name}.blocks.bin`), values);
    expectSameBits(values, expected);
  });
});

it.each(["Q4_0", "Q5_0"] as const)("%s rounds the product before the sum, where that matters", (type) => {
  const input = floats("ties.f32.bin");
  const blocks = bytesOf(type, input.length);
  quantize(type, input, blocks);
  expect(blocks).toEqual(fixture(`${type.toLowerCase()}-ties.blocks.bin`));
});

describe.each([...closedForms, ...searched])("%s, any input", (type) => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %s", (bad) => {
    const values = new Float32Array(256);
    values[137] = bad;
    expect(() => quantize(type, values, bytesOf(type, 256))).toThrow(expect.objectContaining({ code: "bad_weights" }));
  });

  it("refuses a magnitude whose stored form would be infinite", () => {
    const values = new Float32Array(256).fill(3.4028235e38);
    if (type === "MXFP4") return expect(stored(type, values)[0]).toBe(12 * 2 ** 124); // its largest number
    expect(() => quantize(type, values, bytesOf(type, 256))).toThrow(expect.objectContaining({ code: "bad_weights" }));
  });

  it("keeps zeros", () => {
    expect(stored(type, new Float32Array(256)).every((value) => value === 0)).toBe(true);
  });

  it("refuses lengths that do not fit", () => {
    const wrong = expect.objectContaining({ code: "bad_shape" });
    expect(() => quantize(type, new Float32Array(257), bytesOf(type, 256))).toThrow(wrong);
    expect(() => dequantize(type, bytesOf(type, 512), new Float32Array(256))).toThrow(wrong);
  });
});

describe.each([...blockTypes, "TQ1_0", "TQ2_0"] as const)("%s, random blocks", (type) => {
  const name = `${type.toLowerCase()}-random`;

  it("dequantises bit-equal to ggml, subnormal and negative scales too", () => {
    const expected = floats(`${name}.f32.bin`);
    const values = new Float32Array(expected.length);
    dequantize(type, fixture(`${name}.blocks.bin`), values);
    expectSameBits(values, expected);
  });

  it("reads blocks at any alignment", () => {
    const blocks = fixture(`${name}.blocks.bin`);
    const shifted = new Uint8Array(blocks.length + 1);
    shifted.set(blocks, 1);
    const expected = floats(`${name}.f32.bin`);
    const values = new Float32Array(expected.length);
    dequantize(type, shifted.subarray(1), values);
    expectSameBits(values, expected);
  });
});

it.each(blockTypes)("%s stores a block so small that the scale's reciprocal overflows", (type) => {
  const values = stored(type, new Float32Array(256).fill(1e-44));
  expect(values.every((value) => Math.abs(value) < 1e-38)).toBe(true);
});

it("moves F32 through unchanged, at any alignment", () => {
  const input = floats("input.f32.bin");
  const bytes = new Uint8Array(input.length * 4 + 1).subarray(1);
  quantize("F32", input, bytes);
  const values = new Float32Array(input.length);
  dequantize("F32", bytes, values);
  expectSameBits(values, input);
});

it("names an unsupported type", () => {
  expect(canQuantize("TQ1_0")).toBe(false);
  expect(canDequantize("Q8_1")).toBe(false);
  const unsupported = expect.objectContaining({ code: "unsupported_type", message: expect.stringContaining("Q8_1") });
  expect(() => quantize("Q8_1", new Float32Array(32), new Uint8Array(36))).toThrow(unsupported);
  expect(() => dequantize("Q8_1", new Uint8Array(36), new Float32Array(32))).toThrow(unsupported);
});

describe("16-bit floats", () => {
  it("round-trips all 65,536 binary16 values", () => {
    for (let half = 0; half < 65536; half++) {
      const value = f16ToF32(half);
      if (Number.isNaN(value)) expect(Number.isNaN(f16ToF32(f32ToF16(value)))).toBe(true);
      else if (f32ToF16(value) !== half) expect.fail(`${half} became ${f32ToF16(value)}`);
    }
  });

  it("rounds binary16 to nearest, ties to even: every midpoint and its neighbours", () => {
    const neighbour = (value: number, step: number): number => {
      const bits = new Uint32Array(Float32Array.of(value).buffer);
      bits[0]! += step;
      return new Float32Array(bits.buffer)[0]!;
    };
    for (let half = 0; half < 0x7bff; half++) {
      const middle = (f16ToF32(half) + f16ToF32(half + 1)) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      if (f32ToF16(middle) !== even) expect.fail(`tie above ${half}`);
      if (f32ToF16(neighbour(middle, -1)) !== half) expect.fail(`below the tie above ${half}`);
      if (f32ToF16(neighbour(middle, 1)) !== half + 1) expect.fail(`over the tie above ${half}`);
      if (f32ToF16(-middle) !== (even | 0x8000)) expect.fail(`negative tie above ${half}`);
    }
    expect(f32ToF16(65519.99609375)).toBe(0x7bff);
    expect(f32ToF16(65520)).toBe(0x7c00);
  });

  it("round-trips bfloat16 and rounds ties to even", () => {
    for (let half = 0; half < 65536; half++) {
      const value = bf16ToF32(half);
      if (!Number.isNaN(value) && f32ToBf16(value) !== half) expect.fail(`${half} became ${f32ToBf16(value)}`);
    }
    expect(f32ToBf16(1 + 2 ** -8)).toBe(0x3f80); // a tie, down to even
    expect(f32ToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82); // a tie, up to even
    expect(f32ToBf16(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
    expect(f32ToBf16(Number.NaN) & 0x7fff).toBe(0x7fc0);
  });
});
