/** Embeddings of the fixture models, from folders and GGUF, against those of transformers in float64. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import { floats, root, testHost } from "../helpers/models.ts";

const fixtures: string = join(root, "test/fixtures/embeddings");
const load = createLoad(testHost);

interface Reference {
  readonly normalize: boolean;
  readonly pooling: string;
  readonly items: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly pooled_float64: string;
    readonly projected_float64?: string;
    readonly normalized_float64: string;
  }[];
}

const referenceOf = (name: string): Reference =>
  JSON.parse(readFileSync(join(fixtures, name, "reference.json"), "utf8"));

/** The largest difference of any value. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...Array.from(actual, (x, i) => Math.abs(x - expected[i]!)));
}

const outputs = (reference: Reference): Float32Array[] =>
  reference.items.map((item) =>
    floats(reference.normalize ? item.normalized_float64 : (item.projected_float64 ?? item.pooled_float64)),
  );

const NAMES = ["qwen3-embedding", "embeddinggemma", "qwen3-noncausal", "llama-noncausal", "bert"] as const;

async function open(name: string, container: string, options: LoadOptions = {}): Promise<Model> {
  const path = join(fixtures, name);
  return load(container === "gguf" ? join(path, "model.gguf") : path, { kvType: "f32", ...options });
}

describe.each(NAMES)("%s", (name) => {
  const reference = referenceOf(name);
  const texts = reference.items.map(({ text }) => text);
  const expected = outputs(reference);

  it.each(["folder", "gguf"])("%s: within 1e-5 of float64, as a batch and alone, in every build", async (container) => {
    // The converter writes no pooling for llama, and none says that a model's vectors are not normalised.
    const llama = name === "llama-noncausal" && container === "gguf";
    const options = llama ? ({ pooling: "cls", normalize: false } as const) : {};
    const bits: Float32Array[][] = [];
    for (const more of [{ build: "simd" }, { build: "relaxed" }, { threads: 2 }] as const) {
      const model = await open(name, container, more);
      const together = await model.embed(texts, options);
      together.forEach((vector, i) => {
        expect(difference(vector, expected[i]!), texts[i]!).toBeLessThan(1e-5);
      });
      for (const [i, text] of texts.entries()) expect((await model.embed([text], options))[0]).toEqual(together[i]);
      bits.push(together);
      model.dispose();
    }
    expect(bits[1]).toEqual(bits[0]);
    expect(bits[2]).toEqual(bits[0]);
  });
});

it("token ids are those of the reference, with what the files put around a text", async () => {
  for (const name of NAMES)
    for (const container of ["folder", "gguf"]) {
      const model = await open(name, container);
      const reference = referenceOf(name);
      const usage = reference.items.map(async ({ text, ids }) => {
        const { usage } = await model.embeddings.create({ input: [text], pooling: "last" });
        return [text, usage.prompt_tokens, ids.length];
      });
      for (const [text, actual, expected] of await Promise.all(usage))
        expect([name, text, actual]).toEqual([name, text, expected]);
      const [withIds, withText] = [reference.items.map(({ ids }) => ids), reference.items.map(({ text }) => text)];
      expect(await model.embed(withIds, { pooling: "mean" })).toEqual(await model.embed(withText, { pooling: "mean" }));
      model.dispose();
    }
});
