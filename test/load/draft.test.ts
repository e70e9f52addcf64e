/** The option `draft`: crumb in F32, whose drafts come from crumb in Q8_0. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../src/engine/generate/events.ts";
import type { Model } from "../../src/engine/model.ts";
import type { GenerateOptions } from "../../src/engine/request/generate-options.ts";
import { createLoad, createPlan } from "../../src/load/create-load.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import type { MemoryPlan } from "../../src/runtime/memory-plan.ts";
import { architectures, root, testHost } from "../helpers/models.ts";

const load = createLoad(testHost);
const plan = createPlan(testHost);
const BIG = join(root, "models/crumb");
const SMALL = join(root, "dist/crumb.gguf");
const QUESTION = "Tom has 12 apples and buys 7 more. How many apples does he have?";

async function events(model: Model, options: Omit<GenerateOptions, "prompt">): Promise<GenerateEvent[]> {
  const prompt = model.tokenize(model.applyTemplate([{ role: "user", content: QUESTION }]));
  const all: GenerateEvent[] = [];
  for await (const event of model.generate({ prompt, maxTokens: 60, ...options })) all.push(event);
  return all;
}

const tokens = (list: readonly GenerateEvent[]) => list.filter(({ type }) => type === "token");
const details = (list: readonly GenerateEvent[]) => (list.at(-1) as FinishEvent).usage.completion_tokens_details;

describe("a draft model", () => {
  let plain: Model;
  let small: Model;
  beforeAll(async () => {
    plain = await load(BIG);
    small = await load(SMALL);
  });
  afterAll(() => {
    plain.dispose();
    small.dispose();
  });

  it("from a source or loaded, with threads, other caches and builds: the same tokens and log-probabilities", async () => {
    const drafts = { draftMin: 3, draftMax: 6, draftPMin: 0 };
    const kinds: LoadOptions[] = [
      {},
      { draft: SMALL },
      { draft: new Uint8Array(readFileSync(SMALL)), threads: 2 },
      { draft: small, build: "simd" },
      { draft: SMALL, kvType: "int8" },
    ];
    for (const { draft = small, ...options } of kinds) {
      const model = await load(BIG, { ...options, draft });
      const same = options.kvType ? await load(BIG, options) : plain;
      for (const seed of [0, 1, 2]) {
        const request = { logprobs: 2, sampling: { temperature: 0.6 * seed, seed } };
        const list = await events(model, { ...request, ...drafts });
        expect(tokens(list)).toEqual(tokens(await events(same, { ...request, draftMax: 0 })));
        expect(details(list)!.accepted_prediction_tokens).toBeGreaterThan(15);
      }
      model.dispose();
      if (same !== plain) same.dispose();
    }
    // A model that was given stays.
    expect(small.stats()).toMatchObject({ requests: 0, usedPages: 0 });
    expect(tokens(await events(small, { maxTokens: 5 }))).toHaveLength(5);
  });

  it("answers requests of its own meanwhile, and drafts for several answers", async () => {
    const model = await load(BIG, { draft: small });
    const ask = (of: Model, seed: number) => events(of, { draftPMin: 0, sampling: { seed, temperature: 0.5 } });
    const all = await Promise.all([ask(model, 1), ask(small, 1), ask(model, 2), ask(model, 3)]);
    const alone = [await ask(plain, 1), await ask(small, 1), await ask(plain, 2), await ask(plain, 3)];
    expect(all.map(tokens)).toEqual(alone.map(tokens));
    model.dispose();
  });

  it("is told in the plan and in info, with its memory", async () => {
    const options = { draft: SMALL, contextLength: 512 };
    const planned = await plan(BIG, options);
    const model = await load(BIG, options);
    expect(planned.draft).toMatchObject({ name: "crumb.gguf", contextLength: 512, threads: 1 });
    expect(model.info.draft).toEqual(planned.draft);
    expect(planned.draft!.memory.total).toBeLessThan(planned.memory.total);
    expect(planned.memory).toEqual((await plan(BIG, { contextLength: 512 })).memory);
    model.dispose();
  });

  it("counts towards memoryLimit, before a weight is read", async () => {
    const { memory, draft } = await plan(BIG, { draft: SMALL });
    const both = memory.total + draft!.memory.total;
    for (const source of [SMALL, small]) {
      (await load(BIG, { draft: source, memoryLimit: both })).dispose();
      let read = 0;
      const onProgress = () => read++;
      const failed = { code: "out_of_memory", param: "draft" };
      await expect(load(BIG, { draft: source, memoryLimit: both - 1, onProgress })).rejects.toMatchObject(failed);
      await expect(plan(BIG, { draft: source, memoryLimit: both - 1 })).rejects.toMatchObject(failed);
      expect(read).toBe(0);
    }
    expect((small.info.memory as MemoryPlan).total).toBe(draft!.memory.total);
  });

  it("of another vocabulary is refused by the token that differs", async () => {
    const other = join(architectures, "llama/model.gguf");
    await expect(load(BIG, { draft: other })).rejects.toMatchObject({
      code: "invalid_argument",
      param: "draft",
      message: expect.stringMatching(/vocabulary/),
    });
    const bytes = readFileSync(SMALL);
    for (let at = bytes.indexOf("<|eot_id|>"); at >= 0; at = bytes.indexOf("<|eot_id|>", at))
      bytes.write("<|eot_ix|>", at);
    const differing = /token \d+ is .*"<\|eot_id\|>" in the model, and .*"<\|eot_ix\|>" in the draft model/;
    await expect(load(BIG, { draft: new Uint8Array(bytes) })).rejects.toThrow(differing);
  });

  it("that is none is refused", async () => {
    for (const draft of [5, true, null, {}, { info: {} }])
      await expect(load(BIG, { draft: draft as never })).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(load(BIG, { draft: "/no/such/file.gguf" })).rejects.toMatchObject({ code: "missing_file" });
    const gone = await load(SMALL);
    gone.dispose();
    await expect(load(BIG, { draft: gone })).rejects.toMatchObject({ code: "disposed" });
    const controller = new AbortController();
    controller.abort();
    await expect(load(BIG, { draft: SMALL, signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
