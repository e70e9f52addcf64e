/** Logits of the fixture models, from both containers and in both builds, against those of transformers in float64. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import { architectures, argmax, executorOf, floats, greedy, NEWER_FIXTURES, openFixture } from "../helpers/models.ts";

/** The largest difference that float32 with another order of sums should make. */
const TOLERANCE = 5e-5;

/** A text, and its logits at some positions. */
interface Recorded {
  readonly input_ids: number[];
  readonly positions: number[];
  readonly logits_float64: string;
  readonly argmax: number[];
}

function compare(executor: WasmExecutor, { input_ids, positions, logits_float64, argmax: best }: Recorded): void {
  const expected = floats(logits_float64);
  const sequence = executor.createSequence();
  const rows = executor.forward([{ sequence, tokens: input_ids, logits: "all" }]);
  sequence.dispose();
  let worst = 0;
  for (const [i, position] of positions.entries())
    for (const [v, logit] of rows[position]!.entries())
      worst = Math.max(worst, Math.abs(logit - expected[i * rows[0]!.length + v]!));
  expect(worst).toBeLessThan(TOLERANCE);
  expect(rows.map(argmax)).toEqual(best);
}

const OLDER = ["mobilellm-r1", "llama", "llama3-rope", "llama-untied", "qwen2", "qwen3", "gemma3", "olmo2"];

describe.each([...OLDER, ...NEWER_FIXTURES])("%s", (name) => {
  const reference = JSON.parse(readFileSync(join(architectures, name, "reference.json"), "utf8"));

  describe.each(["gguf", "config.json", "config.legacy.json"] as const)("%s", (container) => {
    it.each(["simd", "relaxed"] as const)("%s build", async (build) => {
      const options = { build, kvType: "f32", maxLogitRows: 40, contextLength: 64, cacheTokens: 128 } as const;
      const executor = await executorOf(await openFixture(name, container), options);
      compare(executor, reference);
      expect(greedy(executor, reference.greedy_prompt, 16)).toEqual(reference.greedy);
    });

    // Windows wrap, queries grow, and LongRoPE has its frequencies for long contexts.
    const inLong = reference.long ? it : undefined;
    inLong?.("a text of 120 tokens", async () => {
      const options = { kvType: "f32", maxLogitRows: 120, contextLength: 128 } as const;
      compare(await executorOf(await openFixture(name, container), options), reference.long);
    });
  });

  const named = name === "granite4-dense" ? it : undefined;
  named?.("the same under the name granitehybrid, which IBM's files have", async () => {
    const checkpoint = await openFixture(name, "gguf");
    const metadata = new Map(
      [...checkpoint.metadata].map(([key, value]) => [key.replace(/^granite\./, "granitehybrid."), value] as const),
    );
    const hybrid = { ...checkpoint, architecture: "granitehybrid", metadata };
    compare(await executorOf(hybrid, { kvType: "f32", maxLogitRows: 40, contextLength: 64 }), reference);
    metadata.set("granitehybrid.attention.head_count_kv", Uint32Array.of(0, 1)); // 0 stands for a Mamba layer
    await expect(executorOf(hybrid, {})).rejects.toMatchObject({ code: "bad_value" });
  });

  it.each(["mixed", "int8"] as const)("%s cache: the same greedy tokens", async (kvType) => {
    const executor = await executorOf(await openFixture(name, "gguf"), { kvType, contextLength: 64 });
    expect(greedy(executor, reference.greedy_prompt, 16)).toEqual(reference.greedy);
  });
});
