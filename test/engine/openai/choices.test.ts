/** `n` answers to one prompt: each is as if it were alone, and the prompt is computed once. */
import { describe, expect, it } from "vitest";
import { createModel } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import type { CompletionRequest } from "../../../src/engine/openai/completion-types.ts";
import { merge } from "../../../src/engine/openai/merge.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}<|im_start|>";
const messages = [{ role: "user", content: "x".repeat(150) }];

function setUp(options: FakeOptions = {}) {
  const executor = new FakeExecutor({ contextLength: 256, maxLogitRows: 16, pages: 200, ...options });
  const pages = executor.freePages;
  const tokenizer = new FakeTokenizer();
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", TEMPLATE]]),
  });
  const rows = () => executor.batches.flat().reduce((sum, count) => sum + count, 0);
  return { model, executor, rows, idle: () => isIdle(model, executor, pages) };
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

const request: ChatCompletionRequest = { messages, temperature: 1.3, seed: 5, max_tokens: 12, "speculative.n_max": 0 };

describe("n choices", () => {
  it("chat: differ from each other, equal choices of `generate`, share their prompt", async () => {
    const { model, rows, idle } = setUp();
    const answer = await model.chat.completions.create({
      ...request,
      n: 5,
      logprobs: true,
      top_logprobs: 1,
      stream: false,
    });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(answer.choices.map(({ message }) => message.content)).size).toBe(5);
    const { usage } = answer;
    expect(usage).toMatchObject({ prompt_tokens: 151, prompt_tokens_details: { cached_tokens: 0 } });
    expect(usage.total_tokens).toBe(151 + usage.completion_tokens);
    expect(answer.timings).toMatchObject({ cache_n: 0, prompt_n: 151, predicted_n: usage.completion_tokens });
    // The others read the prompt's last token, whose logits they want.
    expect(rows()).toBe(151 + 4 + usage.completion_tokens - 5);

    const prompt = model.tokenize(model.applyTemplate(messages), { addBos: false });
    for (const [choice, { logprobs }] of answer.choices.entries()) {
      const sampling = { temperature: 1.3, seed: 5 };
      const events = await all(model.generate({ prompt, sampling, choice, maxTokens: 12 }));
      const ids = events.flatMap((event) => (event.type === "token" && !event.end ? [event.id] : []));
      expect(logprobs!.content.map(({ id }) => id)).toEqual(ids);
    }
    expect(idle()).toBe(true);
  });

  it("streamed: the same texts, the end of each choice once, one usage", async () => {
    const { model, idle } = setUp();
    for (const n of [1, 2, 8]) {
      model.clearPrefixCache();
      const whole = await model.chat.completions.create({ ...request, n, stream: false });
      model.clearPrefixCache();
      const stream_options = { include_usage: true };
      const chunks = await all(await model.chat.completions.create({ ...request, n, stream: true, stream_options }));
      for (const { index, message, finish_reason } of whole.choices) {
        const own = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
        expect(own.map(({ delta }) => delta.content ?? "").join("")).toBe(message.content);
        expect(own.flatMap((choice) => choice.finish_reason ?? [])).toEqual([finish_reason]);
        expect(own[0]!.delta).toEqual({ role: "assistant", content: "" });
      }
      expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
      expect(chunks.at(-1)!.usage).toEqual(whole.usage);
    }
    expect(idle()).toBe(true);
  });

  it("completions: streamed and not, with log-probabilities of their own", async () => {
    const { model } = setUp();
    const body: CompletionRequest = {
      prompt: "y".repeat(99),
      n: 3,
      seed: 1,
      temperature: 1.5,
      max_tokens: 9,
      logprobs: 1,
    };
    const whole = await model.completions.create({ ...body, stream: false });
    const chunks = await all(await model.completions.create({ ...body, stream: true }));
    expect(new Set(whole.choices.map(({ text }) => text)).size).toBe(3);
    for (const { index, text, logprobs } of whole.choices) {
      const own = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
      expect(own.map((choice) => choice.text).join("")).toBe(text);
      expect(own.flatMap((choice) => choice.logprobs?.tokens ?? [])).toEqual(logprobs?.tokens ?? []);
    }
  });

  it("leaving a stream, a signal, and an error of one end all", async () => {
    const { model, executor, idle } = setUp();
    for await (const chunk of await model.chat.completions.create({ ...request, n: 4, stream: true }))
      if (chunk.choices[0]?.delta.content) break;
    expect(idle()).toBe(true);
    const abort = new AbortController();
    const running = model.chat.completions.create({ ...request, n: 4, stream: false }, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(idle()).toBe(true);
    executor.onForward = () => {
      if (executor.batches.length > 40) throw new Error("broken");
    };
    await expect(model.chat.completions.create({ ...request, n: 4, max_tokens: 99, ignore_eos: true, stream: false })).rejects.toThrow("broken"); // biome-ignore format: one call
    expect(idle()).toBe(true);
  });
});

describe("merge", () => {
  async function* count(n: number, name: string) {
    for (let i = 0; i < n; i++) yield `${name}${i}`;
  }

  it("keeps each stream's order; streams that have an item ready take turns", async () => {
    const items = await all(merge([() => count(40, "a"), () => count(40, "b"), () => count(3, "c")]));
    for (const [index, name] of ["a", "b", "c"].entries()) {
      const own = items.flatMap(([stream, item]) => (stream === index ? [item] : []));
      expect(own).toEqual(Array.from({ length: name === "c" ? 3 : 40 }, (_, i) => `${name}${i}`));
    }
    const gaps = items.slice(0, 60).map(([stream]) => stream).join("").split("1").map((run) => run.length); // biome-ignore format: one idea
    expect(Math.max(...gaps)).toBeLessThan(6);
    expect(await all(merge([]))).toEqual([]);
  });

  it("runs at most 64 at once, and starts the next where one ends", async () => {
    let running = 0;
    let most = 0;
    async function* one(i: number) {
      most = Math.max(most, ++running);
      yield i;
      yield i;
      running--;
    }
    const items = await all(merge(Array.from({ length: 200 }, (_, i) => () => one(i))));
    expect(items.map(([, item]) => item).sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i >> 1));
    expect(most).toBe(64);
  });

  it("an error leaves the others", async () => {
    let left = 0;
    async function* endless() {
      try {
        for (;;) yield 1;
      } finally {
        left++;
      }
    }
    async function* failing() {
      yield 1;
      throw new Error("failed");
    }
    await expect(all(merge([endless, failing, endless]))).rejects.toThrow("failed");
    expect(left).toBe(2);
  });
});
