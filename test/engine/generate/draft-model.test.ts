/** Answers with a draft model are the answers without it, token by token. */
import { describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../../src/engine/generate/events.ts";
import { coreOf, createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { Random } from "../../helpers/random.ts";

const ROOMY: FakeOptions = { vocabSize: 300, contextLength: 512, pages: 512, maxBatchTokens: 64, maxLogitRows: 24 };

function fake(options: FakeOptions, draft?: Model) {
  const executor = new FakeExecutor({ ...ROOMY, memory: 3, ...options });
  const parts = { name: "fake", architecture: "test", tokenizer: new FakeTokenizer(), executor };
  const core = coreOf(draft);
  return { executor, model: createModel({ ...parts, draft: core && { core, cost: 0.1, owned: true } }) };
}

/** A model, and a draft model whose guesses are wrong where a hash says so. */
function setUp({
  wrong = 0.3,
  main = {},
  small = {},
}: {
  wrong?: number;
  main?: FakeOptions;
  small?: FakeOptions;
} = {}) {
  const next = (tokens: readonly number[]) => {
    const random = new Random(`${tokens.slice(-3)}`);
    return random.uint32() / 2 ** 32 < wrong ? random.integer(0, 255) : undefined;
  };
  const draft = fake({ next, ...small });
  const { executor, model } = fake(main, draft.model);
  const [pages, draftPages] = [executor.freePages, draft.executor.freePages];
  const idle = () => isIdle(model, executor, pages) && isIdle(draft.model, draft.executor, draftPages);
  return { model, executor, draft, idle };
}

async function events(model: Model, options: GenerateOptions): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of model.generate(options)) all.push(event);
  return all;
}

const ids = (list: readonly GenerateEvent[]) => list.flatMap((event) => (event.type === "token" ? [event.id] : []));
const facts = (list: readonly GenerateEvent[]) =>
  list.map((event) => {
    if (event.type !== "finish") return event;
    const { completion_tokens_details: _, ...usage } = event.usage;
    return { ...event, usage, timings: undefined };
  });
const details = (list: readonly GenerateEvent[]) => (list.at(-1) as FinishEvent).usage.completion_tokens_details;

/** Requests of every kind. */
function request(seed: number): GenerateOptions {
  const sampled = seed % 3 > 0;
  return {
    prompt: Array.from({ length: 1 + ((seed * 7) % 90) }, (_, i) => (i * 31 + seed) % 250),
    maxTokens: 20 + (seed % 60),
    logprobs: seed % 4 ? undefined : 2,
    stop: seed % 5 ? [] : ["a", "zz"],
    endIds: seed % 2 ? [] : [17, 18, 19],
    choice: seed % 3,
    draftPMin: seed % 6 ? 0 : 0.5,
    draftMin: seed % 7 ? 0 : 2,
    ...(seed % 8 === 7 && { grammar: { kind: "regex", pattern: "([a-f]{3}, (one|two|three) of them; ){2,}end" } }),
    sampling: {
      seed,
      temperature: sampled ? 0.4 + (seed % 5) / 4 : 0,
      topK: sampled ? 8 : 0,
      repeatPenalty: seed % 7 ? 1 : 1.1,
      frequencyPenalty: seed % 9 ? 0 : 0.05,
      dryMultiplier: seed % 10 ? 0 : 0.8,
      mirostat: seed % 11 === 10 ? 2 : 0,
      logitBias: new Map(seed % 6 ? [] : [[40, 3]]),
    },
  };
}

/** The same without drafts of any kind, on a model of its own. */
const plain = (seed: number, main: FakeOptions = {}) => events(fake(main).model, { ...request(seed), draftMax: 0 });

describe("with a draft model and without: the same", () => {
  it("alone, for every kind of request; and steps are saved", async () => {
    let [accepted, rejected, steps, fewer] = [0, 0, 0, 0];
    for (let seed = 0; seed < 120; seed++) {
      const { model, executor, idle } = setUp();
      const without = fake({});
      const expected = await events(without.model, { ...request(seed), draftMax: 0 });
      const list = await events(model, request(seed));
      expect(facts(list), `seed ${seed}`).toEqual(facts(expected));
      expect(idle()).toBe(true);
      accepted += details(list)?.accepted_prediction_tokens ?? 0;
      rejected += details(list)?.rejected_prediction_tokens ?? 0;
      steps += without.executor.batches.length;
      fewer += executor.batches.length;
    }
    expect(accepted).toBeGreaterThan(1000);
    expect(rejected).toBeGreaterThan(200);
    expect(fewer).toBeLessThan(0.75 * steps);
  });

  it("together, where either model has little room", async () => {
    const expected = await Promise.all(Array.from({ length: 14 }, async (_, seed) => facts(await plain(seed))));
    const little: { main?: FakeOptions; small?: FakeOptions }[] = [
      {},
      { main: { maxBatchTokens: 12 } },
      { main: { maxLogitRows: 5 }, small: { maxLogitRows: 2 } },
      { main: { pages: 66 } },
      { small: { pages: 20 } },
      { small: { maxSequences: 3 } },
      { small: { maxBatchTokens: 5 } },
      { small: { contextLength: 48 } },
      { small: { vocabSize: 280 } },
      { small: { vocabSize: 310 } },
    ];
    for (const room of little) {
      const { model, idle } = setUp({ wrong: 0.2, ...room });
      const all = Array.from({ length: 14 }, async (_, seed) => facts(await events(model, request(seed))));
      const cached = (list: readonly unknown[]) => JSON.stringify(list).replace(/"cached_tokens":\d+/, "");
      expect((await Promise.all(all)).map(cached), JSON.stringify(room)).toEqual(expected.map(cached));
      expect(idle()).toBe(true);
    }
  });

  it("after one another in one cache, and with a context that shifts", async () => {
    const { model, idle } = setUp({ main: { contextLength: 64, pages: 40 }, small: { contextLength: 64, pages: 40 } });
    for (let seed = 0; seed < 60; seed++) {
      const options = { ...request(seed), prompt: [1, 2, 3, 4, 5, 6, 7, 8, 9, seed], logprobs: undefined };
      const shift = { ...options, grammar: undefined, maxTokens: 90, contextShift: true, keep: 3 };
      const expected = await events(fake({ contextLength: 64 }).model, { ...shift, draftMax: 0 });
      expect(ids(await events(model, shift))).toEqual(ids(expected));
      const more = { prompt: [1, 2, 3, 4, 5, 6, 7, 8, 9, seed, ...ids(expected).slice(0, 40), 3], maxTokens: 3 };
      const greedy = { ...more, sampling: { temperature: 0 } };
      expect(ids(await events(model, greedy))).toEqual(ids(await events(fake({ contextLength: 64 }).model, greedy)));
    }
    expect(idle()).toBe(true);
  });
});

describe("a draft model that fails", () => {
  it("that is disposed, traps or has other logits costs nothing but its drafts", async () => {
    const expected = ids(await plain(2));
    for (const code of ["poisoned", "disposed", "context_full", "non_finite_logits"] as const) {
      const { NibbleError } = await import("../../../src/base/errors.ts");
      const { model, draft } = setUp();
      let calls = 0;
      draft.executor.onForward = () => {
        if (++calls > 3) throw new NibbleError(code, "as a test wants it");
      };
      expect(ids(await events(model, request(2)))).toEqual(expected);
      const before = calls;
      expect(ids(await events(model, request(2)))).toEqual(expected);
      expect(calls > before).toBe(code === "context_full" || code === "non_finite_logits");
    }
    const { model, draft } = setUp();
    const answer = events(model, request(2));
    draft.model.dispose();
    expect(ids(await answer)).toEqual(expected);
    model.dispose();
  });

  it("with an abort at any step, and after dispose, nothing is left", async () => {
    for (let at = 1; at < 15; at++) {
      const { model, executor, idle } = setUp();
      const controller = new AbortController();
      executor.onForward = () => {
        if (executor.batches.length === at) queueMicrotask(() => controller.abort());
      };
      const run = events(model, { ...request(1), maxTokens: 200, signal: controller.signal });
      await expect(run).rejects.toMatchObject({ name: "AbortError" });
      expect(idle()).toBe(true);
    }
    const { model, draft, executor } = setUp();
    executor.onForward = () => {
      if (executor.batches.length === 4) queueMicrotask(() => model.dispose());
    };
    await expect(events(model, { ...request(1), maxTokens: 200 })).rejects.toMatchObject({ code: "disposed" });
    expect([executor.disposed, draft.executor.disposed, draft.executor.live.size]).toEqual([true, true, 0]);
  });
});

describe("the settings of drafts", () => {
  const base = { prompt: [5, 6, 7], maxTokens: 100, endIds: [], sampling: { temperature: 0 } };

  it("bound their lengths, as in llama.cpp", async () => {
    for (const [draftMax, draftMin] of [
      [1, 0],
      [3, 0],
      [4, 4],
      [8, 2],
      [0, 0],
    ] as const) {
      // biome-ignore format: one line
      const { model, executor } = setUp({ wrong: 0 });
      await events(model, { ...base, draftMax, draftMin, draftPMin: 0 });
      const drafts = executor.batches.slice(1).map(([rows]) => rows! - 1);
      expect(Math.max(...drafts)).toBeLessThanOrEqual(draftMax);
      if (draftMin > 0) expect(drafts.every((length) => length === 0 || length >= draftMin)).toBe(true);
      expect(drafts.some((length) => length > 0)).toBe(draftMax > 0);
    }
  });

  it("end a draft before a guess that is too unlikely", async () => {
    const sure = setUp({ wrong: 1 }); // Every guess of the draft model has nearly probability 1, and is wrong.
    const unsure = setUp({ wrong: 0 });
    const run = async ({ model }: { model: Model }) =>
      details(await events(model, { ...base, draftPMin: 0.999, draftMin: 1 }));
    expect((await run(sure))!.rejected_prediction_tokens).toBeGreaterThan(40);
    expect((await run(unsure))?.accepted_prediction_tokens ?? 0).toBeLessThan(20);
  });

  it("are read from requests, and counted in usage and timings", async () => {
    const ask = (fields: object) =>
      setUp({ wrong: 0 }).model.completions.create({
        prompt: [5, 6, 7],
        temperature: 0,
        max_tokens: 80,
        ignore_eos: true,
        n: 2,
        "speculative.p_min": 0,
        ...fields,
      });
    const [more, none] = await Promise.all([ask({}), ask({ "speculative.n_max": 0 })]);
    expect(more!.choices).toEqual(none!.choices);
    const { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected } =
      more!.usage!.completion_tokens_details!;
    expect(accepted).toBeGreaterThan(60);
    expect(more!.timings!.draft_n).toBeGreaterThanOrEqual(accepted! + rejected!);
    expect(none!.usage).not.toHaveProperty("completion_tokens_details");
    for (const [name, value] of [["n_min", -1], ["p_min", 1.5], ["p_min", "x"], ["n_max", 0.5]]) // biome-ignore format: one line
      await expect(ask({ [`speculative.${name}`]: value })).rejects.toMatchObject({ param: `speculative.${name}` });
  });
});
