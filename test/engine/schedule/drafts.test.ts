/** crumb with drafts and without: the real cache, truncated after every wrong draft. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../../src/engine/generate/events.ts";
import type { Model } from "../../../src/engine/model.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { root, testHost } from "../../helpers/models.ts";

/** The next words are easy to guess, and often guessed wrong. */
const PROMPTS = [
  "Tom has 12 apples. Tom has 12 pears. Tom has 12 apples. Tom has",
  "1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2,",
  "<think>\n12+7: 2+7=9; =19.\n</think>\n<think>\n12+7: 2+7=9; =19.\n</think>\n<think>\n",
];

describe.each(["mixed", "int8", "f32"] as const)("key-value cache %s", (kvType) => {
  let model: Model;
  beforeAll(async () => {
    model = await createLoad(testHost)(join(root, "dist/crumb.gguf"), { kvType });
  });

  async function answer(text: string, seed: number, draftMax: number): Promise<GenerateEvent[]> {
    const events: GenerateEvent[] = [];
    const sampling = {
      ...model.info.sampling,
      temperature: seed % 4 ? 0.25 * (seed % 4) : 0,
      logitBias: new Map(),
      seed,
    };
    const prompt = model.tokenize(text);
    const options = {
      prompt,
      maxTokens: 120,
      endIds: new Set<number>(),
      logprobs: 2,
      sampling,
      draftMax,
      draftMin: Math.min(2, draftMax),
    };
    for await (const event of model.generate(options)) events.push(event);
    return events;
  }

  it("the same tokens and log-probabilities, greedy and sampled, alone and together", async () => {
    const requests = Array.from({ length: 12 }, (_, seed) => [PROMPTS[seed % 3]!, seed] as const);
    const alone: GenerateEvent[][] = [];
    const plain: GenerateEvent[][] = [];
    for (const [text, seed] of requests) {
      plain.push(await answer(text, seed, 0));
      alone.push(await answer(text, seed, 16));
    }
    const together = await Promise.all(requests.slice(0, 6).map(([text, seed]) => answer(text, seed, 16)));
    const tokens = (answers: GenerateEvent[][]) => answers.map((events) => events.slice(0, -1));
    expect(tokens(alone)).toEqual(tokens(plain));
    expect(tokens(together)).toEqual(tokens(plain).slice(0, 6));
    const counts = alone.map((events) => (events.at(-1) as FinishEvent).timings);
    const sum = (key: "draft_n" | "draft_n_accepted") => counts.reduce((all, timings) => all + (timings[key] ?? 0), 0);
    expect(sum("draft_n_accepted")).toBeGreaterThan(100); // 130 to 146
    expect(sum("draft_n") - sum("draft_n_accepted")).toBeGreaterThan(50);
  });
});
