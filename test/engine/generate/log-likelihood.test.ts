/** Log-likelihoods of continuations: the same bits in any company, each context read once, and wrong arguments. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { logprobs } from "../../../src/engine/sample/logprobs.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { FakeExecutor, type FakeOptions, fakeLogits, isIdle } from "../../helpers/fake-executor.ts";
import { root, testHost } from "../../helpers/models.ts";
import { create } from "../answering.ts";

/** Token ids that are the same in every run. */
const ids = (length: number, seed: number): number[] => Array.from({ length }, (_, i) => (i * 31 + seed * 17) % 250);

function setUp(options: FakeOptions = {}, prefixCache = true) {
  const executor = new FakeExecutor({ contextLength: 128, pages: 200, maxSequences: 64, ...options });
  const pages = executor.freePages;
  const model = create(executor, { prefixCache });
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}

/** By definition: each token's logits from all tokens before it. */
function expected(context: readonly number[], continuation: readonly number[]) {
  const scores = continuation.map((id, i) => {
    const row = fakeLogits([...context, ...continuation.slice(0, i)], new Float32Array(300));
    return logprobs(row, id, 1);
  });
  return {
    logprob: scores.reduce((sum, { logprob }) => sum + logprob, 0),
    greedy: scores.every(({ id, top }) => top[0]!.id === id),
  };
}

/** Rows of a benchmark: examples in common, questions, and choices of several lengths. */
const shots = ids(40, 1);
const rows = Array.from({ length: 12 }, (_, row) => ({
  context: [...shots, ...ids(3 + row, row + 2)],
  continuations: Array.from({ length: 1 + (row % 5) }, (_, choice) => ids(1 + ((row + choice) % 7), choice + 50)),
}));

describe.each<[string, FakeOptions, boolean]>([
  ["with room for all", {}, true],
  ["with few pages and sequences", { pages: 18, maxSequences: 5 }, true],
  ["with few rows of logits and short steps", { maxLogitRows: 2, maxBatchTokens: 5 }, true],
  ["with a layer that has states", { states: 6 }, true],
  ["without a prefix cache", {}, false],
])("%s", (_, options, prefixCache) => {
  it("many calls at once give what the definition says", async () => {
    const { model, idle } = setUp(options, prefixCache);
    const results = await Promise.all(
      rows.map(({ context, continuations }) => model.logLikelihoods(context, continuations)),
    );
    expect(results).toEqual(rows.map(({ context, continuations }) => continuations.map((c) => expected(context, c))));
    expect(idle()).toBe(true);
  });
});

it("a continuation of the likeliest tokens is greedy", async () => {
  const { model } = setUp({ next: (tokens) => (tokens.length % 2 === 0 ? 7 : 9) });
  const [first, second, third] = await model.logLikelihoods(ids(4, 1), [[7, 9, 7], [7, 9, 8], [9]]);
  expect([first!.greedy, second!.greedy, third!.greedy]).toEqual([true, false, false]);
});

it("reads what is shared once: examples of all rows, and the context of all choices", async () => {
  const { executor, model } = setUp();
  await Promise.all(rows.map(({ context, continuations }) => model.logLikelihoods(context, continuations)));
  const read = executor.batches.flat().reduce((sum, tokens) => sum + tokens, 0);
  const questions = rows.map(({ context }) => context.length - shots.length);
  const choices = rows.flatMap(({ continuations }) => continuations.map(({ length }) => length - 1));
  const distinct = [...questions, ...choices].reduce((sum, length) => sum + length, shots.length);
  expect(read).toBeLessThanOrEqual(distinct + rows.length);
  expect(executor.batches.some((batch) => batch.length > 4)).toBe(true); // Rows run at the same time.
});

describe("crumb", () => {
  let model: Model;
  beforeAll(async () => {
    model = await createLoad(testHost)(join(root, "models/crumb"), {
      threads: 1,
      contextLength: 256,
      cacheTokens: 1024,
    });
  });
  afterAll(() => model.dispose());

  it("has the same bits alone, together, and in a session", async () => {
    const texts = ["How much is 7 * 5?", "How much is 12 + 9?", "A farmer has 3 cows and buys 4."];
    const contexts = texts.map((text) => [...model.tokenize("Question: ".repeat(30)), ...model.tokenize(text)]);
    const continuations = [" 35", " The answer is 21.", " 7", " four hundred and twelve"].map((text) =>
      model.tokenize(text, { addBos: false }),
    );
    const together = await Promise.all(contexts.map((context) => model.logLikelihoods(context, continuations)));
    for (const [i, context] of contexts.entries())
      for (const [j, continuation] of continuations.entries()) {
        model.clearPrefixCache();
        expect(await model.logLikelihoods(context, [continuation])).toEqual([together[i]![j]]);
        const session = model.session();
        session.forward(context.slice(0, -1), { logits: "none" });
        const logits = session.forward([context.at(-1)!, ...continuation.slice(0, -1)], { logits: "all" });
        const { vocabSize } = model.info;
        const scores = continuation.map((id, k) =>
          logprobs(logits.subarray(k * vocabSize, (k + 1) * vocabSize), id, 1),
        );
        expect(scores.reduce((sum, { logprob }) => sum + logprob, 0)).toBe(together[i]![j]!.logprob);
        session.dispose();
      }
  });
});

describe("wrong calls", () => {
  const { model, idle } = setUp({ contextLength: 16 });
  it.each<[unknown, unknown, object | undefined, string, string]>([
    [[], [[1]], undefined, "invalid_argument", "context: expected at least one token"],
    [[1], [[]], undefined, "invalid_argument", "continuations[0]: expected at least one token"],
    [[1], [[1], [300]], undefined, "invalid_argument", "continuations[1]: expected token ids from 0 to 299, got 300"],
    [[1], 3, undefined, "invalid_argument", "continuations: expected an array"],
    ["ab", [[1]], undefined, "invalid_argument", "context: expected an array of token ids"],
    [[1], [[1]], { temperature: 1 }, "invalid_argument", "temperature: unknown"],
    [ids(16, 1), [[1, 2]], undefined, "context_full", "continuations[0]: 17 tokens must be read to score it"],
  ])("%j, %j, %j", async (context, continuations, options, code, message) => {
    const call = model.logLikelihoods(context as never, continuations as never, options as never);
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("no continuation has no score, and the longest that fits has one", async () => {
    expect(await model.logLikelihoods([1], [])).toEqual([]);
    expect(await model.logLikelihoods(ids(16, 1), [[3]])).toEqual([expected(ids(16, 1), [3])]);
  });

  it("a signal ends the call and gives its pages back; others go on", async () => {
    const controller = new AbortController();
    const ended = model.logLikelihoods(ids(9, 1), [[1, 2], [3]], { signal: controller.signal });
    const other = model.logLikelihoods(ids(9, 1), [[1, 2], [3]]);
    controller.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    expect(await other).toEqual([expected(ids(9, 1), [1, 2]), expected(ids(9, 1), [3])]);
    expect(idle()).toBe(true);
  });

  it("logits that are no numbers are an error", async () => {
    const broken = setUp();
    const forward = broken.executor.forward.bind(broken.executor);
    broken.executor.forward = (batch) => forward(batch).map((row) => row.map(() => Number.NaN));
    await expect(broken.model.logLikelihoods([1], [[2]])).rejects.toMatchObject({ code: "non_finite_logits" });
    expect(broken.idle()).toBe(true);
  });
});
