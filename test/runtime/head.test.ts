/** The logits of some tokens have the bits that the whole product gives them. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import { architectures, executorOf, root, testHost } from "../helpers/models.ts";
import { Random } from "../helpers/random.ts";

const MODELS = [
  [join(root, "dist/crumb.gguf"), {}],
  [join(root, "dist/crumb.gguf"), { build: "simd" }],
  [join(root, "dist/crumb.gguf"), { threads: 2 }],
  [join(root, "models/crumb"), { threads: 2 }],
  [join(architectures, "gemma3/model.gguf"), {}],
  [join(architectures, "qwen2/model.gguf"), { kvType: "int8" }],
] as const satisfies readonly (readonly [string, LoadOptions])[];

describe("forwardSome", () => {
  it.each(MODELS)(
    "%s with %o: any tokens, any number of rows, and the whole product before and after",
    async (path, options) => {
      const executor = await executorOf(await openCheckpoint(path, testHost), { contextLength: 64, ...options });
      const { vocabSize } = executor;
      const random = new Random(vocabSize);
      const bits = (rows: readonly Float32Array[]) => rows.map((row) => new Uint32Array(row.slice().buffer));
      for (let round = 0; round < 40; round++) {
        const rows = random.integer(1, 6);
        const tokens = Array.from({ length: rows }, () => random.integer(0, vocabSize - 1));
        const logits = ["last", "all", 1][round % 3]! as "last" | "all" | number;
        const sequences = [executor.createSequence(), executor.createSequence()];
        const batches = sequences.map((sequence) => [{ sequence, tokens, logits }]);
        const few = Array.from({ length: random.integer(1, round % 5 === 0 ? vocabSize : 9) }, () =>
          random.integer(0, vocabSize - 1),
        );
        few.push(0, vocabSize - 1);
        const whole = bits(executor.forward(batches[0]!));
        const some = bits(executor.forwardSome(batches[1]!, few));
        expect(some.length).toBe(whole.length);
        for (const [i, row] of some.entries()) for (const id of few) expect(row[id]).toBe(whole[i]![id]);
        // The next step has the whole product again, of the same keys and values.
        const next = sequences.map((sequence) => bits(executor.forward([{ sequence, tokens: [3], logits: "last" }])));
        expect(next[1]).toEqual(next[0]);
        for (const sequence of sequences) sequence.dispose();
      }
      executor.dispose();
    },
  );

  it("computes no other group of rows", async () => {
    const path = join(root, "dist/crumb.gguf");
    const executor = await executorOf(await openCheckpoint(path, testHost), { contextLength: 64 });
    const sequence = executor.createSequence();
    const [before] = executor.forward([{ sequence, tokens: [5], logits: "last" }]);
    const old = before!.slice();
    const [row] = executor.forwardSome([{ sequence, tokens: [6, 7], logits: "last" }], [400, 401, 1000]);
    const changed = Array.from(row!, (logit, id) => [id, logit] as const).filter(([id, logit]) => logit !== old[id]);
    // The first ones lie where earlier operations have their activations.
    const groups = new Set(changed.map(([id]) => id >> 4).filter((group) => group >= 20));
    expect(groups).toEqual(new Set([25, 62]));
    executor.dispose();
  });
});
