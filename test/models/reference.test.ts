/** Logits of the fixture models, from both containers and in both builds, against those of transformers in float64. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { architectures, argmax, executorOf, floats, greedy, openFixture } from "../helpers/models.ts";

/** The largest difference that float32 with another order of sums should make. */
const TOLERANCE = 5e-5;

describe.each(["mobilellm-r1", "llama", "llama3-rope", "llama-untied", "qwen2", "qwen3", "gemma3", "olmo2"])(
  "%s",
  (name) => {
    const reference = JSON.parse(readFileSync(join(architectures, name, "reference.json"), "utf8"));
    const expected = floats(reference.logits_float64);

    describe.each(["gguf", "config.json", "config.legacy.json"] as const)("%s", (container) => {
      it.each(["simd", "relaxed"] as const)("%s build", async (build) => {
        const checkpoint = await openFixture(name, container);
        const options = { build, kvType: "f32", maxLogitRows: 40, contextLength: 64, cacheTokens: 128 } as const;
        const executor = await executorOf(checkpoint, options);
        const sequence = executor.createSequence();
        const rows = executor.forward([{ sequence, tokens: reference.input_ids, logits: "all" }]);
        let worst = 0;
        reference.positions.forEach((position: number, i: number) => {
          rows[position]!.forEach((logit, v) => {
            worst = Math.max(worst, Math.abs(logit - expected[i * reference.vocab_size + v]!));
          });
        });
        expect(worst).toBeLessThan(TOLERANCE);
        expect(rows.map(argmax)).toEqual(reference.argmax);
        expect(greedy(executor, reference.greedy_prompt, 16)).toEqual(reference.greedy);
      });
    });

    it.each(["mixed", "int8"] as const)("%s cache: the same greedy tokens", async (kvType) => {
      const executor = await executorOf(await openFixture(name, "gguf"), { kvType, contextLength: 64 });
      expect(greedy(executor, reference.greedy_prompt, 16)).toEqual(reference.greedy);
    });
  },
);
