import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { inverseFrequencies, type ModelRotation, readRotation } from "../../src/models/rope.ts";

function rotation(facts: Record<string, unknown>, divisors: Record<string, number[]> = {}): Promise<ModelRotation> {
  const metadata = new Map(Object.entries(facts).map(([key, value]) => [`llama.rope.${key}`, value]));
  metadata.set("llama.context_length", 64);
  const tensors = new Map(
    Object.entries(divisors).map(([name, values]) => {
      const bytes = new Uint8Array(Float32Array.from(values).buffer);
      const source = { size: bytes.length, read: async () => bytes };
      return [name, { type: "F32", shape: [values.length], offset: 0, byteLength: bytes.length, source }];
    }),
  );
  return readRotation({ metadata, architecture: "llama", tensors } as unknown as Checkpoint, 8);
}
const frequencies = async (facts: Record<string, unknown>, divisors?: number[]) =>
  (await rotation(facts, divisors && { "rope_freqs.weight": divisors })).frequencies;
const codeOf = (promise: Promise<unknown>) => promise.then(String, (error) => error.code);
const plain = inverseFrequencies(10_000, 8);
const divided = (by: number) => plain.map((frequency) => frequency / by);

describe("scaling of a GGUF, as llama.cpp reads it", () => {
  test.each<[string, Record<string, unknown>, Float32Array]>([
    ["none", {}, plain],
    ["a factor of a type that does not scale", { "scaling.type": "none", "scaling.factor": 4 }, plain],
    ["linear", { "scaling.type": "linear", "scaling.factor": 4 }, divided(4)],
    ["a factor without a type is linear", { "scaling.factor": 4 }, divided(4)],
    ["the older key", { scale_linear: 2 }, divided(2)],
    ["the newer key has precedence", { scale_linear: 2, "scaling.factor": 4 }, divided(4)],
  ])("%s", async (_, facts, expected) => {
    expect(await frequencies(facts)).toEqual(expected);
  });

  test("divisors and a factor both apply", async () => {
    const expected = plain.map((frequency, j) => Math.fround(frequency / (j + 1)) / 2);
    expect(await frequencies({ "scaling.factor": 2 }, [1, 2, 3, 4])).toEqual(expected);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ "scaling.type": "ntk", "scaling.factor": 4 }, "unsupported_architecture"],
    [{ "scaling.type": "longrope" }, "missing_tensor"],
    [{ "scaling.attn_factor": 0 }, "bad_value"],
    [{ "scaling.factor": 0.5 }, "bad_value"],
    [{ scale_linear: "2" }, "bad_type"],
  ])("%j is refused", async (facts, code) => {
    expect(await codeOf(frequencies(facts))).toBe(code);
  });
});

test("divisors of a source that reads short are an error, not numbers that are not there", async () => {
  const source = { size: 16, read: async () => new Uint8Array(8) };
  const info = { type: "F32", shape: [4], offset: 0, byteLength: 16, source };
  const tensors = new Map([["rope_freqs.weight", info]]);
  const metadata = new Map([["llama.context_length", 64]]);
  const reading = readRotation({ metadata, architecture: "llama", tensors } as unknown as Checkpoint, 8);
  expect(await codeOf(reading)).toBe("io_error");
});

describe("scalings with a factor of cosines and sines", () => {
  const yarn = { "scaling.type": "yarn", "scaling.factor": 4, "scaling.original_context_length": 16 };

  test("YaRN: fast pairs stay, slow ones are divided, and the factor is 1 + 0.1 ln(factor)", async () => {
    const { frequencies: scaled, factor } = await rotation(yarn);
    // Pair 0 turns 16 / 2 pi = 2.5 times within 16 tokens; that lies between 32 and 1, and the ramp begins at pair 0.
    expect([...scaled.slice(1)]).toEqual([...divided(4).slice(1)]);
    expect(scaled[0]).toBe(plain[0]);
    expect(factor).toBeCloseTo(1 + 0.1 * Math.log(4), 12);
  });

  test("the ramp has the width that its two betas give it", async () => {
    const facts = { ...yarn, "scaling.original_context_length": 4096 };
    const { frequencies: scaled } = await rotation({
      ...facts,
      "scaling.yarn_beta_fast": 64,
      "scaling.yarn_beta_slow": 2,
    });
    const pairOf = (rotations: number) => (8 * Math.log(4096 / (rotations * 2 * Math.PI))) / (2 * Math.log(10_000));
    const [low, high] = [Math.floor(pairOf(64)), Math.ceil(pairOf(2))];
    scaled.forEach((frequency, j) => {
      const ramp = Math.min(Math.max((j - low) / (high - low), 0), 1);
      expect(frequency / plain[j]!).toBeCloseTo(ramp / 4 + 1 - ramp, 6);
    });
  });

  test("yarn_log_multiplier divides, attn_factor multiplies, yarn_attn_factor changes nothing", async () => {
    expect((await rotation({ ...yarn, "scaling.yarn_log_multiplier": 1 })).factor).toBe(1);
    const { factor } = await rotation(yarn);
    expect((await rotation({ ...yarn, "scaling.attn_factor": 1.5 })).factor).toBe(factor * 1.5);
    expect((await rotation({ ...yarn, "scaling.yarn_attn_factor": 1.5 })).factor).toBe(factor);
    expect((await rotation({ "scaling.attn_factor": 1.5 })).factor).toBe(1.5);
  });

  test("LongRoPE: divisors up to the original context, and others beyond", async () => {
    const tensors = { "rope_factors_short.weight": [1, 1, 2, 4], "rope_factors_long.weight": [1, 2, 4, 8] };
    const read = await rotation({ "scaling.type": "longrope", "scaling.original_context_length": 32 }, tensors);
    expect([...read.frequencies]).toEqual([1, 1, 2, 4].map((by, j) => plain[j]! / by));
    expect([...read.long!.frequencies]).toEqual([1, 2, 4, 8].map((by, j) => plain[j]! / by));
    expect(read.long!.beyond).toBe(32);
    expect((await rotation({ "scaling.type": "longrope" }, tensors)).long!.beyond).toBe(64); // the context of the file
  });
});
