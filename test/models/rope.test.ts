import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { inverseFrequencies, readFrequencies } from "../../src/models/rope.ts";

function frequencies(facts: Record<string, unknown>, divisors?: number[]): Promise<Float32Array> {
  const metadata = new Map(Object.entries(facts).map(([key, value]) => [`llama.rope.${key}`, value]));
  const bytes = new Uint8Array(Float32Array.from(divisors ?? []).buffer);
  const source = { size: bytes.length, read: async () => bytes };
  const info = { type: "F32", shape: [divisors?.length], offset: 0, byteLength: bytes.length, source };
  const tensors = new Map(divisors && [["rope_freqs.weight", info]]);
  return readFrequencies({ metadata, architecture: "llama", tensors } as unknown as Checkpoint, 8);
}
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
    [{ "scaling.type": "yarn", "scaling.factor": 4 }, "unsupported_architecture"],
    [{ "scaling.factor": 0.5 }, "bad_value"],
    [{ scale_linear: "2" }, "bad_type"],
  ])("%j is refused", async (facts, code) => {
    expect(await codeOf(frequencies(facts))).toBe(code);
  });
});
