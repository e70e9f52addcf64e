/** Requests for more than an answer: the prompt's log-probabilities, an echo, and a shift of the full context. */
import { describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent, PromptEvent, TokenEvent } from "../../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { logprobs } from "../../../src/engine/sample/logprobs.ts";
import { FakeExecutor, type FakeOptions, fakeLogits, isIdle } from "../../helpers/fake-executor.ts";
import { BOS, FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const tokenizer = new FakeTokenizer();
function setUp(options: FakeOptions = {}) {
  const executor = new FakeExecutor({ contextLength: 128, ...options });
  const pages = executor.freePages;
  const template = "{% for m in messages %}{{ m.content }}{% endfor %}";
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", template]]),
  });
  return { model, executor, idle: () => isIdle(model, executor, pages) };
}
const ids = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * 31 + seed * 7 + 5) % 250);
const logitsAfter = (tokens: readonly number[]) => fakeLogits(tokens, new Float32Array(300));

async function run(model: Model, options: Partial<GenerateOptions>) {
  const events: GenerateEvent[] = [];
  for await (const event of model.generate({
    prompt: ids(40), maxTokens: 5, endIds: [], sampling: { temperature: 1, seed: 3 }, ...options,
  })) events.push(event); // biome-ignore format: short
  const tokens = events.filter((event): event is TokenEvent => event.type === "token").map(({ id }) => id);
  const prompts = events.filter((event): event is PromptEvent => event.type === "prompt");
  return { events, tokens, prompts, finish: events.at(-1) as FinishEvent };
}

describe("log-probabilities of the prompt", () => {
  it("are those of each token after the ones before it; the answer is the same", async () => {
    for (const options of [{}, { maxLogitRows: 3 }, { maxBatchTokens: 5, maxLogitRows: 5 }]) {
      const { model, idle } = setUp(options);
      const plain = await run(model, {});
      const { prompts, tokens, events, finish } = await run(model, { promptLogprobs: 2 });
      expect(prompts).toHaveLength(1);
      expect(events[0]).toBe(prompts[0]);
      expect(prompts[0]!.logprobs).toEqual(
        ids(39).map((_, i) => logprobs(logitsAfter(ids(40).slice(0, i + 1)), ids(40)[i + 1]!, 2)),
      );
      expect(tokens).toEqual(plain.tokens);
      expect(finish.usage.prompt_tokens_details.cached_tokens).toBe(0);
      expect(idle()).toBe(true);
    }
  });

  it("in little room, beside others, they are the same", async () => {
    const { model, idle } = setUp({ pages: 12, maxSequences: 3 });
    const expected = (await run(setUp().model, { promptLogprobs: 1 })).prompts;
    const runs = await Promise.all(
      [0, 1, 2, 3].map((i) => run(model, { prompt: ids(40, i), promptLogprobs: i % 2 ? undefined : 1, maxTokens: 20 })),
    );
    expect(runs[0]!.prompts).toEqual(expected);
    expect(runs[1]!.prompts).toEqual([]);
    expect(runs[1]!.tokens).toEqual((await run(setUp().model, { prompt: ids(40, 1), maxTokens: 20 })).tokens);
    expect(idle()).toBe(true);
  });

  it("maxTokens: 0 gives them alone; a prompt of one token has none", async () => {
    const { model } = setUp();
    const { tokens, prompts, finish } = await run(model, { promptLogprobs: 0, maxTokens: 0 });
    expect({ tokens, reason: finish.reason }).toEqual({ tokens: [], reason: "length" });
    expect(prompts[0]!.logprobs).toHaveLength(39);
    expect(finish.usage).toMatchObject({ prompt_tokens: 40, completion_tokens: 0, total_tokens: 40 });
    expect((await run(model, { prompt: [7], promptLogprobs: 0 })).prompts[0]!.logprobs).toEqual([]);
    expect(() => model.generate({ prompt: [7], maxTokens: 0 })).toThrow(
      expect.objectContaining({ param: "maxTokens" }),
    );
  });
});

describe("echo and prompt_logprobs of a completion", () => {
  const { model } = setUp();
  const body = { prompt: "Grüße, Welt", max_tokens: 4, seed: 1, temperature: 1, ignore_eos: true };

  it("the prompt comes before the answer, streamed and not", async () => {
    const plain = await model.completions.create({ ...body, stream: false });
    const whole = await model.completions.create({ ...body, echo: true, n: 2, stream: false });
    expect(whole.choices[0]!.text).toBe(body.prompt + plain.choices[0]!.text);
    expect(whole.choices[1]!.text.startsWith(body.prompt)).toBe(true);
    let text = "";
    for await (const chunk of await model.completions.create({ ...body, echo: true, stream: true })) text += chunk.choices[0]?.text ?? ""; // biome-ignore format: short
    expect(text).toBe(whole.choices[0]!.text);
  });

  it("with logprobs: one list over both, with offsets into the text", async () => {
    const prompt = [BOS, ...new TextEncoder().encode(body.prompt)];
    const { choices } = await model.completions.create({ ...body, echo: true, logprobs: 1, stream: false });
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0]!.logprobs!;
    expect(tokens).toHaveLength(prompt.length + 4);
    expect([token_logprobs[0], top_logprobs[0]]).toEqual([null, null]);
    for (let i = 1; i < prompt.length; i++) {
      expect(token_logprobs[i]).toBe(logprobs(logitsAfter(prompt.slice(0, i)), prompt[i]!, 0).logprob);
      const best = logprobs(logitsAfter(prompt.slice(0, i)), prompt[i]!, 1).top[0]!.id;
      expect(Object.values(top_logprobs[i]!)).toHaveLength(tokenizer.token(best) === tokens[i] ? 1 : 2);
      expect(top_logprobs[i]![tokens[i]!]).toBe(token_logprobs[i]);
    }
    expect(text_offset.slice(0, 4)).toEqual([0, 0, 1, 2]);
    expect(text_offset[prompt.length]).toBe(body.prompt.length);
    expect(choices[0]!.text.slice(text_offset[prompt.length])).toBe(choices[0]!.text.slice(body.prompt.length));
    const parts: string[] = [];
    for await (const chunk of await model.completions.create({ ...body, echo: true, logprobs: 1, stream: true }))
      parts.push(...(chunk.choices[0]?.logprobs?.tokens ?? []));
    expect(parts).toEqual(tokens);
    const alone = await model.completions.create({ ...body, echo: true, logprobs: 1, max_tokens: 0, stream: false });
    expect(alone.choices[0]!).toMatchObject({ text: body.prompt, finish_reason: "length" });
    expect(alone.choices[0]!.logprobs!.token_logprobs).toEqual(token_logprobs.slice(0, prompt.length));
  });

  it("prompt_logprobs: vLLM's shape, by token id, in completions and chats", async () => {
    const prompt = [BOS, ...new TextEncoder().encode(body.prompt)];
    const completion = await model.completions.create({ ...body, prompt_logprobs: 2, stream: false });
    const entries = completion.choices[0]!.prompt_logprobs!;
    expect(entries).toHaveLength(prompt.length);
    expect(entries[0]).toBe(null);
    for (let i = 1; i < prompt.length; i++) {
      const { logprob, top } = logprobs(logitsAfter(prompt.slice(0, i)), prompt[i]!, 2);
      expect(entries[i]![prompt[i]!]).toEqual({ logprob, decoded_token: tokenizer.token(prompt[i]!) });
      for (const one of top) expect(entries[i]![one.id]!.logprob).toBe(one.logprob);
    }
    expect(completion.choices[0]!.text).not.toContain(body.prompt);
    const streamed = [];
    for await (const chunk of await model.completions.create({ ...body, prompt_logprobs: 2, stream: true }))
      streamed.push(chunk.choices[0]!.prompt_logprobs);
    expect(streamed.filter(Boolean)).toEqual([entries]);
    expect(streamed[0]).toEqual(entries);
    const messages = [{ role: "user", content: "Hi there" }];
    const chat = await model.chat.completions.create({ messages, max_tokens: 3, prompt_logprobs: 0, stream: false });
    expect(chat.prompt_logprobs).toHaveLength("Hi there".length);
    expect(Object.keys(chat.prompt_logprobs![1]!)).toEqual([String("i".charCodeAt(0))]);
  });
});

describe("a full context", () => {
  it("ends the answer, or is shifted on request: the answer is then that of the shorter text", async () => {
    for (const keep of [0, 5, 12]) {
      const { model, executor, idle } = setUp({ contextLength: 64, memory: 1000 });
      expect((await run(model, { maxTokens: 200 })).finish.reason).toBe("length");
      const seen: number[][] = [];
      executor.onForward = (batch) => seen.push(batch.map(({ sequence, tokens }) => sequence.length + tokens.length));
      const options = { maxTokens: 200, contextShift: true, keep, draftMax: 0 };
      const { tokens, finish } = await run(model, options);
      expect(tokens).toHaveLength(200);
      expect(finish.usage).toMatchObject({ prompt_tokens: 40, completion_tokens: 200, total_tokens: 240 });
      expect(Math.max(...seen.flat())).toBeLessThanOrEqual(64);

      // The same by hand: greedy steps on a text that loses its oldest half whenever it is full.
      const greedy = (await run(model, { ...options, sampling: { temperature: 0 } })).tokens;
      const text = ids(40);
      for (const id of greedy) {
        const logits = logitsAfter(text);
        expect(id).toBe(logits.indexOf(Math.max(...logits)));
        text.push(id);
        if (text.length >= 64) text.splice(keep, Math.ceil((text.length - keep) / 2));
      }
      expect(idle()).toBe(true);
    }
  });

  it("with drafts, penalties and neighbours: the same tokens", async () => {
    const options: Partial<GenerateOptions> = {
      maxTokens: 150, contextShift: true, keep: 3, sampling: { temperature: 0, repeatPenalty: 1.01, repeatLastN: 9 },
    }; // biome-ignore format: short
    const alone = await run(setUp({ contextLength: 64, memory: 2 }).model, { ...options, draftMax: 0 });
    const { model, idle } = setUp({ contextLength: 64, memory: 2, pages: 20 });
    const runs = await Promise.all([options, { ...options, prompt: ids(30) }, options].map((one) => run(model, one)));
    expect(runs[0]!.tokens).toEqual(alone.tokens);
    expect(runs[2]!.tokens).toEqual(alone.tokens);
    expect(idle()).toBe(true);
  });

  it("needs maxTokens", () => {
    const { model } = setUp();
    const refusal = expect.objectContaining({ code: "invalid_argument", param: "contextShift" });
    expect(() => model.generate({ prompt: [1], contextShift: true })).toThrow(refusal);
  });
});
