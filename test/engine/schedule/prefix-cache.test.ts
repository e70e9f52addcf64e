/** A prefix that requests and sessions share is computed once, and only the speed shows it. */
import { describe, expect, it } from "vitest";
import type { FinishEvent } from "../../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { uniform } from "../../../src/engine/sample/random.ts";
import { FakeExecutor, type FakeOptions, fakeLogits, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const ROOMY: FakeOptions = { contextLength: 512, pages: 400, maxBatchTokens: 64, maxLogitRows: 16 };

function setUp(options: FakeOptions = {}, prefixCache = true) {
  const executor = new FakeExecutor({ ...ROOMY, ...options });
  const tokenizer = new FakeTokenizer();
  const model = createModel({ name: "fake", architecture: "test", tokenizer, executor, prefixCache });
  const pages = executor.freePages;
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}

const computed = ({ batches }: FakeExecutor) => batches.flat().reduce((sum, rows) => sum + rows, 0);
const ids = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * 31 + seed * 7 + 5) % 250);

async function ask(model: Model, prompt: readonly number[], options: Partial<GenerateOptions> = {}) {
  const tokens: number[] = [];
  let finish: FinishEvent | undefined;
  const sampling = { temperature: 1, seed: 7 };
  for await (const event of model.generate({ prompt, maxTokens: 6, endIds: [], draftMax: 0, sampling, ...options })) {
    if (event.type === "token") tokens.push(event.id);
    else if (event.type === "finish") finish = event;
  }
  return { tokens, cached: finish!.usage.prompt_tokens_details.cached_tokens, timings: finish!.timings };
}

describe("a prompt that was seen before", () => {
  it("is computed but for its last token; the tokens are the same", async () => {
    const { model, executor, idle } = setUp();
    const first = await ask(model, ids(100));
    expect(first).toMatchObject({ cached: 0, timings: { cache_n: 0, prompt_n: 100 } });
    const before = computed(executor);
    const second = await ask(model, ids(100));
    expect(second).toMatchObject({ cached: 99, timings: { cache_n: 99, prompt_n: 1 }, tokens: first.tokens });
    expect(computed(executor) - before).toBe(6);
    expect(idle()).toBe(true);
  });

  it("a conversation goes on where its answer ended", async () => {
    const { model } = setUp();
    const first = await ask(model, ids(50));
    // The answer's last token was chosen and never computed.
    expect((await ask(model, [...ids(50), ...first.tokens, 1, 2, 3])).cached).toBe(50 + 6 - 1);
  });

  it("is reused as far as it is the same, at any page border; matches of fewer than 8 tokens are not copied", async () => {
    for (const shared of [1, 7, 8, 9, 15, 16, 17, 63, 64, 65]) {
      const { model } = setUp();
      await ask(model, ids(100));
      const prompt = [...ids(shared), 251, 252, 253];
      const expected = await ask(setUp({}, false).model, prompt);
      expect(await ask(model, prompt)).toMatchObject({ tokens: expected.tokens, cached: shared < 8 ? 0 : shared });
      expect((await ask(model, ids(100))).cached).toBe(99); // the first is still there
    }
  });

  it("prefixCache: false and clearPrefixCache forget it", async () => {
    const { model, executor } = setUp({}, false);
    await ask(model, ids(100));
    expect(executor.freePages).toBe(400);
    expect((await ask(model, ids(100))).cached).toBe(0);
    const other = setUp();
    await ask(other.model, ids(100));
    expect(other.model.stats()).toEqual({ requests: 0, usedPages: 0, cachedPages: 14 }); // 105 of 8
    other.model.clearPrefixCache();
    expect(other.model.stats().cachedPages).toBe(0);
    expect((await ask(other.model, ids(100))).cached).toBe(0);
  });
});

describe("requests that come together", () => {
  it("one of them reads what they share", async () => {
    const { model, executor, idle } = setUp();
    const prompts = Array.from({ length: 8 }, (_, i) => [...ids(200), 100 + i, i]);
    const answers = await Promise.all(prompts.map((prompt) => ask(model, prompt)));
    expect(computed(executor)).toBeLessThanOrEqual(200 + 8 * (2 + 6));
    expect(answers.map(({ cached }) => cached)).toEqual([0, ...new Array(7).fill(200)]);
    const alone = setUp({}, false).model;
    for (const [i, prompt] of prompts.entries()) expect(answers[i]!.tokens).toEqual((await ask(alone, prompt)).tokens);
    expect(idle()).toBe(true);
  });

  it("a request that waits for another which is aborted goes on where that one stopped", async () => {
    const { model, executor, idle } = setUp();
    const abort = new AbortController();
    const leader = ask(model, [...ids(300), 1], { signal: abort.signal });
    const follower = ask(model, [...ids(300), 2]);
    executor.onForward = () => {
      if (executor.batches.length === 2) abort.abort();
    };
    await expect(leader).rejects.toMatchObject({ name: "AbortError" });
    const { tokens, cached } = await follower;
    expect(cached).toBeGreaterThanOrEqual(64);
    expect(tokens).toEqual((await ask(setUp({}, false).model, [...ids(300), 2])).tokens);
    expect(idle()).toBe(true);
  });
});

describe("pages", () => {
  it("kept sequences give up their pages when these are needed, the oldest first", async () => {
    const { model, executor, idle } = setUp({ pages: 30 }); // 240 tokens
    await ask(model, ids(100, 1));
    await ask(model, ids(100, 2));
    await ask(model, ids(100, 3));
    expect(executor.freePages).toBeLessThan(5);
    expect((await ask(model, ids(100, 3))).cached).toBe(99);
    expect((await ask(model, ids(100, 1))).cached).toBeLessThan(99);
    expect(idle()).toBe(true);
  });

  it("with few sequences: kept ones are dropped", async () => {
    const { model, idle } = setUp({ maxSequences: 2 });
    for (let i = 0; i < 6; i++) expect((await ask(model, ids(40, i))).cached).toBe(0);
    expect((await ask(model, ids(40, 5))).cached).toBe(39);
    expect((await ask(model, [...ids(20, 5), 3, 2, 1])).cached).toBe(20);
    expect(idle()).toBe(true);
  });

  it.each(["attention", "recurrent layers"])(
    "any mix of requests and sessions, in little room, %s: tokens as alone, and all pages come back",
    async (kind) => {
      let counter = 0;
      const below = (n: number) => Math.floor(uniform(5, counter++, 0) * n);
      const alone = setUp({}, false).model;
      for (let round = 0; round < 60; round++) {
        const { model, executor, idle } = setUp({
          pages: 20 + below(60),
          maxSequences: 2 + below(8),
          pageTokens: [4, 8, 16][below(3)]!,
          maxBatchTokens: 8 + below(40),
          maxLogitRows: 4 + below(8),
          ...(kind === "attention" ? {} : { states: 2 + below(4) }),
        });
        const prompt = () => [...ids(below(40), below(2)), ...ids(below(12), below(3)), 9];
        const session = model.session();
        const read = prompt().slice(0, 12);
        session.forward(read);
        const prompts = Array.from({ length: 1 + below(8) }, prompt);
        const answers = await Promise.all(
          prompts.map(async (one) => {
            for (let i = below(6); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
            return ask(model, one, { draftMax: below(2) * 4 });
          }),
        );
        for (const [i, one] of prompts.entries()) {
          expect(answers[i]!.tokens).toEqual((await ask(alone, one)).tokens);
          expect(answers[i]!.cached).toBeLessThan(one.length);
        }
        expect(session.forward([1])).toEqual(fakeLogits([...read, 1], new Float32Array(executor.vocabSize)));
        session.dispose();
        expect(idle()).toBe(true);
      }
    },
  );
});

describe("sessions", () => {
  it("take over what requests have computed, and the other way round", async () => {
    const { model, executor } = setUp();
    await ask(model, ids(100));
    const before = computed(executor);
    const session = model.session();
    const row = session.forward([...ids(100), 1, 2]);
    expect(computed(executor) - before).toBe(2);
    expect(row).toEqual(fakeLogits([...ids(100), 1, 2], new Float32Array(executor.vocabSize)));
    session.forward([3, 4, 5, 6, 7]);
    expect((await ask(model, [...ids(100), 1, 2, 3, 4, 9])).cached).toBe(104);
    session.truncate(50);
    expect(session.forward([1])).toEqual(fakeLogits([...ids(50), 1], new Float32Array(executor.vocabSize)));
  });
});
