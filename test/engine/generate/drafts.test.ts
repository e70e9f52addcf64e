/** Answers with drafts are the answers without them, token by token. */
import { describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const ROOMY: FakeOptions = { vocabSize: 300, contextLength: 512, pages: 512, maxBatchTokens: 64, maxLogitRows: 24 };
const greedy = { ...SAMPLING_DEFAULTS, temperature: 0, logitBias: new Map<number, number>(), seed: 0 };
const base: GenerateOptions = { prompt: [5, 6, 7], endIds: new Set(), sampling: greedy, maxTokens: 150 };

function setUp(options: FakeOptions = {}) {
  const executor = new FakeExecutor({ ...ROOMY, memory: 1, ...options });
  const tokenizer = new FakeTokenizer();
  const model = createModel({ name: "fake", architecture: "test", tokenizer, executor });
  const pages = executor.freePages;
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}

async function events(model: Model, options: Partial<GenerateOptions>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of model.generate({ ...base, ...options })) all.push(event);
  return all;
}

/** The facts that must not change: tokens, texts, offsets, log-probabilities, usage. */
const facts = (list: readonly GenerateEvent[]) =>
  list.map((event) => (event.type === "finish" ? { ...event, timings: undefined } : event));
const timings = (list: readonly GenerateEvent[]) => (list.at(-1) as FinishEvent).timings;
const ids = (list: readonly GenerateEvent[]) => list.flatMap((event) => (event.type === "token" ? [event.id] : []));

/** Requests of every kind. Few tokens are likely, so that sampled text repeats, too. */
function request(seed: number): Partial<GenerateOptions> {
  const sampled = seed % 3 > 0;
  return {
    prompt: Array.from({ length: 1 + (seed % 7) }, (_, i) => (i * 31 + seed) % 250),
    logprobs: seed % 4 ? undefined : 2,
    maxTokens: 60 + seed,
    stop: seed % 5 ? [] : ["a", "zz"],
    endIds: seed % 2 ? new Set() : new Set([17, 18, 19]),
    choice: seed % 11,
    sampling: {
      ...greedy,
      seed,
      temperature: sampled ? 0.3 : 0,
      topK: sampled ? 2 : 40,
      repeatPenalty: seed % 7 ? 1 : 1.02,
      frequencyPenalty: seed % 8 ? 0 : 0.05,
      logitBias: new Map(seed % 6 ? [] : [[40, 3]]),
    },
  };
}

describe("with drafts and without: the same", () => {
  it("for greedy and sampled requests with penalties, bias, stops and log-probabilities", async () => {
    let accepted = 0;
    let rejected = 0;
    for (let seed = 0; seed < 120; seed++) {
      const with_ = setUp({ memory: 1 + (seed % 2) });
      const without = setUp({ memory: 1 + (seed % 2) });
      const drafted = await events(with_.model, request(seed));
      const plain = await events(without.model, { ...request(seed), draftMax: 0 });
      expect(facts(drafted)).toEqual(facts(plain));
      expect(timings(plain).draft_n).toBeUndefined();
      expect(with_.idle() && without.idle()).toBe(true);
      const { draft_n = 0, draft_n_accepted = 0 } = timings(drafted);
      accepted += draft_n_accepted;
      rejected += draft_n - draft_n_accepted;
      // Every step but those that end in a draft brings one token beside the accepted ones.
      expect(with_.executor.batches.length).toBe(without.executor.batches.length - draft_n_accepted);
      const rows = with_.executor.batches.flat().reduce((a, b) => a + b);
      expect(rows - draft_n + draft_n_accepted).toBe(without.executor.batches.flat().reduce((a, b) => a + b));
    }
    expect(accepted).toBeGreaterThan(1500);
    expect(rejected).toBeGreaterThan(200);
  });

  it("together with others, with few rows, few logits, few pages and little context", async () => {
    const plain: unknown[] = [];
    for (let seed = 0; seed < 10; seed++)
      plain.push(facts(await events(setUp({ contextLength: 96 }).model, { ...request(seed), draftMax: 0 })));
    let accepted = 0;
    for (const limits of [{}, { maxBatchTokens: 12 }, { maxLogitRows: 12 }, { pages: 12 }, { maxLogitRows: 1 }]) {
      const { model, idle } = setUp({ contextLength: 96, ...limits });
      const together = await Promise.all(Array.from({ length: 10 }, (_, seed) => events(model, request(seed))));
      expect(together.map(facts)).toEqual(plain);
      expect(idle()).toBe(true);
      accepted += together.reduce((sum, list) => sum + (timings(list).draft_n_accepted ?? 0), 0);
    }
    expect(accepted).toBeGreaterThan(200);
  });

  it("at every max_tokens, with no row beyond it", async () => {
    const plain = ids(await events(setUp().model, { draftMax: 0 }));
    for (let maxTokens = 1; maxTokens <= 150; maxTokens += maxTokens < 40 ? 1 : 7) {
      const { model, executor } = setUp();
      const list = await events(model, { maxTokens });
      expect(ids(list)).toEqual(plain.slice(0, maxTokens));
      expect(list.at(-1)).toMatchObject({ reason: "length", usage: { completion_tokens: maxTokens } });
      const { draft_n = 0, draft_n_accepted = 0 } = timings(list);
      const rows = executor.batches.flat().reduce((a, b) => a + b);
      expect(rows - (draft_n - draft_n_accepted)).toBe(base.prompt.length + maxTokens - 1);
    }
  });

  it("with an end token or a stop string at every position of a repeated text", async () => {
    const letters = Array.from({ length: 26 }, (_, i) => 97 + i);
    const text = [...letters, ...letters, ...letters];
    for (let at = 0; at < text.length; at++) {
      const next = (tokens: readonly number[]) => (tokens.length - 3 === at ? 48 : text[tokens.length - 3]);
      const ended = await events(setUp({ next }).model, { endIds: new Set([48]) });
      expect(ids(ended)).toEqual([...text.slice(0, at), 48]);
      const stopped = await events(setUp({ next }).model, { stop: ["0"] });
      expect(
        stopped.map((event) => (event.type === "token" ? event.text : (event as FinishEvent).reason)).join(""),
      ).toBe(`${String.fromCharCode(...text.slice(0, at))}stop`);
    }
  });

  it("up to the end of the context", async () => {
    for (const contextLength of [40, 41, 48, 63, 64]) {
      const { model, executor, idle } = setUp({ contextLength, pages: Math.ceil(contextLength / 8) });
      const list = await events(model, { maxTokens: undefined });
      expect(list.at(-1)).toMatchObject({ reason: "length", usage: { total_tokens: contextLength } });
      expect(ids(list)).toEqual(
        ids(await events(setUp({ contextLength }).model, { maxTokens: undefined, draftMax: 0 })),
      );
      expect(Math.max(...executor.batches.flat())).toBeGreaterThan(1);
      expect(idle()).toBe(true);
    }
  });
});

describe("drafts that are always wrong", () => {
  // 1 2 3 4 x, 1 2 3 4 y, 1 2 3 4 z: the token after a repetition is always another one.
  const next = (tokens: readonly number[]) =>
    tokens.length % 5 ? tokens.length % 5 : 10 + ((tokens.length / 5) % 280);

  it("cost few rows; their logits are never looked at", async () => {
    const { model, executor, idle } = setUp({ next, contextLength: 1024 });
    const forward = executor.forward.bind(executor);
    executor.forward = (batch) => {
      const rows = forward(batch);
      // The row of the last token stays; those after a draft cannot be right.
      if (Number(batch[0]!.logits) > 1) for (const row of rows.slice(1)) row.fill(Number.NaN);
      return rows;
    };
    const list = await events(model, { maxTokens: 800 });
    expect(ids(list)).toEqual(Array.from({ length: 800 }, (_, i) => next({ length: i + 3 } as number[])));
    const { draft_n, draft_n_accepted } = timings(list);
    expect(draft_n_accepted).toBe(0);
    expect(draft_n).toBeGreaterThan(5);
    expect(executor.batches.slice(1).filter(([rows]) => rows! > 1).length * 0.5).toBeLessThan(0.6 + 0.01 * 800);
    expect(executor.batches.length).toBe(800);
    expect(idle()).toBe(true);
  });
});

describe("abort", () => {
  it("at every step gives all pages back, those of drafts too, and others go on", async () => {
    const expected = ids(await events(setUp().model, { draftMax: 0, prompt: [9, 8] }));
    let drafting = 0;
    for (let at = 1; at < 40; at++) {
      const { model, executor, idle } = setUp();
      const controller = new AbortController();
      executor.onForward = (batch) => {
        if (executor.batches.length !== at) return;
        if (batch.some(({ logits }) => Number(logits) > 1)) drafting++;
        queueMicrotask(() => controller.abort());
      };
      const other = events(model, { prompt: [9, 8] });
      await expect(events(model, { signal: controller.signal, maxTokens: 400 })).rejects.toMatchObject({
        name: "AbortError",
      });
      expect(ids(await other)).toEqual(expected);
      expect(idle()).toBe(true);
    }
    expect(drafting).toBeGreaterThan(15);
  });
});

describe("a request", () => {
  it("reports the numbers of drafts under llama-server's names", async () => {
    const ask = (fields: object) =>
      setUp().model.completions.create({
        prompt: [5, 6, 7],
        temperature: 0,
        max_tokens: 150,
        ignore_eos: true,
        ...fields,
      });
    const [more, one, none] = await Promise.all([
      ask({}),
      ask({ "speculative.n_max": 1 }),
      ask({ "speculative.n_max": 0 }),
    ]);
    expect(one!.choices).toEqual(none!.choices);
    expect(more!.choices).toEqual(none!.choices);
    expect(more!.timings!.draft_n_accepted).toBeGreaterThan(one!.timings!.draft_n_accepted!);
    expect(one!.timings!.draft_n_accepted).toBeGreaterThan(20);
    expect(none!.timings).not.toHaveProperty("draft_n");
    await expect(ask({ "speculative.n_max": -1 })).rejects.toMatchObject({ param: "speculative.n_max" });
  });
});
