import { describe, expect, it } from "vitest";
import type { ModelParts } from "../../src/engine/core.ts";
import type { FinishEvent } from "../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../src/engine/model.ts";
import type { ChatCompletionChunk, ChatCompletionRequest } from "../../src/engine/openai/chat-types.ts";
import type { CompletionRequest } from "../../src/engine/openai/completion-types.ts";
import { SAMPLING_DEFAULTS } from "../../src/engine/sample/defaults.ts";
import { FakeExecutor, type FakeOptions, fakeLogits, isIdle } from "../helpers/fake-executor.ts";
import { BOS, EOS, FakeTokenizer, IM_END } from "../helpers/fake-tokenizer.ts";

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% if thinking %}<think>{% endif %}{% endif %}";
const messages = [{ role: "user", content: "Hi" }];
const tokenizer = new FakeTokenizer();

/** A model that answers with this text (and then its end token), whatever the prompt. */
function answering(text: string, options: FakeOptions & Partial<ModelParts> = {}) {
  const script = [...tokenizer.encode(text, { addBos: false }), IM_END];
  let promptLength: number | undefined;
  const executor = new FakeExecutor({
    ...options,
    next: (tokens) => {
      promptLength ??= tokens.length;
      if (tokens.length < promptLength) promptLength = tokens.length;
      return script[tokens.length - promptLength];
    },
  });
  const pages = executor.freePages;
  const model = create(executor, options);
  return { model, executor, script, idle: () => isIdle(model, executor, pages) };
}
function create(executor: FakeExecutor, parts: Partial<ModelParts> = {}): Model {
  return createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", TEMPLATE]]),
    ...parts,
  });
}
function hashed(options: FakeOptions = {}) {
  const executor = new FakeExecutor(options);
  const pages = executor.freePages;
  const model = create(executor);
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}
async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}
const chat = (model: Model, fields: Partial<ChatCompletionRequest> = {}) =>
  model.chat.completions.create({ messages, temperature: 0, ...fields, stream: false });
const chatStream = (model: Model, fields: Partial<ChatCompletionRequest> = {}) =>
  model.chat.completions.create({ messages, temperature: 0, ...fields, stream: true });

describe("chat completions", () => {
  it("answer in OpenAI's shape", async () => {
    const { model, script, idle } = answering("Grüße 😀!");
    const result = await chat(model);
    const promptLength = model.tokenize(model.applyTemplate(messages), { addBos: false }).length;
    expect(result).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{24}$/),
      object: "chat.completion",
      created: expect.closeTo(Date.now() / 1000, -1),
      model: "fake",
      choices: [
        { index: 0, message: { role: "assistant", content: "Grüße 😀!" }, logprobs: null, finish_reason: "stop" },
      ],
      usage: {
        prompt_tokens: promptLength,
        completion_tokens: script.length,
        total_tokens: promptLength + script.length,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
      timings: expect.objectContaining({ cache_n: 0, prompt_n: promptLength, predicted_n: script.length }),
    });
    for (const value of Object.values(result.timings)) expect(value).toBeGreaterThanOrEqual(0);
    expect(result.timings.predicted_per_second).toBeGreaterThan(0);
    expect(idle()).toBe(true);
  });

  it("the prompt has one BOS, and text of a message that spells a special token becomes it", async () => {
    const { model, executor } = answering("a");
    let seen: number[] = [];
    executor.onForward = (batch) => {
      if (batch[0]!.sequence.length === 0) seen = Array.from(batch[0]!.tokens);
    };
    await chat(model, { messages: [{ role: "user", content: "x<eos>y" }] });
    expect(seen.filter((id) => id === BOS)).toEqual([BOS]);
    expect(seen).toContain(EOS);
  });

  it("stream: chunks in OpenAI's shape, the same answer", async () => {
    const { model } = answering("Grüße 😀!");
    const chunks = await all(await chatStream(model, { stream_options: { include_usage: true } }));
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: "assistant", content: "" });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Grüße 😀!");
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ id: chunks[0]!.id, object: "chat.completion.chunk", model: "fake" });
      expect(chunk.choices[0]?.delta.content ?? "").not.toContain("\ufffd");
    }
    const [finish, usage] = chunks.slice(-2);
    expect(finish!.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }]);
    expect(finish!.timings).toBeDefined();
    expect(usage).toMatchObject({ choices: [], usage: { completion_tokens: 14 } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    const plain = await all(await chatStream(model));
    expect(plain.some((chunk) => "usage" in chunk || chunk.choices.length === 0)).toBe(false);
  });

  it("stop strings cut the text at every place in the answer", async () => {
    const text = "Grüße, 😀 wie geht's?";
    for (const stop of ["e, 😀", "ü", "?", "G", "wie", "zzz", "eht's? "]) {
      const { model, idle } = answering(text);
      const at = text.indexOf(stop);
      const result = await chat(model, { stop: [stop, "never"] });
      expect(result.choices[0]).toMatchObject({
        message: { content: at < 0 ? text : text.slice(0, at) },
        finish_reason: "stop",
      });
      const chunks = await all(await chatStream(answering(text).model, { stop: [stop, "never"] }));
      expect(chunks.map((chunk) => chunk.choices[0]!.delta.content ?? "").join("")).toBe(
        result.choices[0]!.message.content,
      );
      expect(idle()).toBe(true);
    }
  });

  it("length: max_tokens, and the end of the context; an unfinished character shows as U+FFFD", async () => {
    const { model } = answering("aü");
    expect((await chat(model, { max_tokens: 2 })).choices[0]).toMatchObject({
      message: { content: "a\ufffd" },
      finish_reason: "length",
    });
    const { model: long, executor, idle } = hashed({ contextLength: 40 });
    const result = await chat(long, { ignore_eos: true, temperature: 1 });
    expect(result.choices[0]!.finish_reason).toBe("length");
    expect(result.usage.total_tokens).toBe(40);
    expect(executor.batches.flat().reduce((a, b) => a + b)).toBe(39);
    expect(idle()).toBe(true);
  });

  it("stop_token_ids end the answer", async () => {
    const { model } = answering("a.b");
    const result = await chat(model, { stop_token_ids: [46] });
    expect(result.choices[0]).toMatchObject({ message: { content: "a" }, finish_reason: "stop" });
    expect(result.usage.completion_tokens).toBe(2);
  });

  it("reasoning comes apart from the content, unless it is asked for as text", async () => {
    const text = "<think>\nTwo and two.\n</think>\n\nIt is 4.";
    const content = async (fields: Partial<ChatCompletionRequest>, answer = text) =>
      (await chat(answering(answer).model, fields)).choices[0]!.message;
    expect(await content({ reasoning_format: "none" })).toEqual({ role: "assistant", content: text });
    const split = { role: "assistant", reasoning_content: "Two and two.", content: "It is 4." };
    expect(await content({})).toEqual(split);
    expect(await content({ reasoning_format: "deepseek" })).toEqual(split);
    expect(await content({ reasoning_format: "auto" })).toEqual(split);
    const opened = { reasoning_format: "deepseek", chat_template_kwargs: { thinking: true } } as const;
    expect(await content(opened, text.slice(7))).toEqual(split);
    const chunks = await all(await chatStream(answering(text).model, { reasoning_format: "deepseek" }));
    const join = (field: "content" | "reasoning_content") =>
      chunks.map((chunk) => chunk.choices[0]!.delta[field] ?? "").join("");
    expect([join("reasoning_content"), join("content")]).toEqual(["Two and two.", "It is 4."]);
  });

  it("logprobs: every token, the end token too, by the model's own logits", async () => {
    const { model } = answering("aü");
    const result = await chat(model, { logprobs: true, top_logprobs: 3, temperature: 0.5, logit_bias: { 97: 1 } });
    const { content, refusal } = result.choices[0]!.logprobs!;
    expect(refusal).toBeNull();
    expect(content.map(({ id, bytes }) => [id, bytes])).toEqual([
      [97, [97]],
      [195, [195]],
      [188, [188]],
      [IM_END, [...new TextEncoder().encode("<|im_end|>")]],
    ]);
    for (const entry of content) {
      expect(entry.top_logprobs.length).toBe(3);
      expect(entry.top_logprobs[0]).toEqual({
        id: entry.id,
        token: entry.token,
        logprob: entry.logprob,
        bytes: entry.bytes,
      });
      expect(entry.logprob).toBeLessThan(0);
    }
    expect((await chat(model, { logprobs: true })).choices[0]!.logprobs!.content[0]!.top_logprobs).toEqual([]);
  });

  it("a variable that the template does not read is refused", async () => {
    await expect(chat(answering("a").model, { chat_template_kwargs: { thinkin: true } })).rejects.toMatchObject({
      code: "invalid_request",
      param: "chat_template_kwargs.thinkin",
    });
  });

  it("a prompt that does not fit is refused with figures, before the stream", async () => {
    const { model } = hashed({ contextLength: 20 });
    await expect(chatStream(model)).rejects.toMatchObject({
      code: "context_full",
      message: expect.stringMatching(/\d+ tokens.*20/),
    });
  });
});

describe("completions", () => {
  it("raw text with the model's BOS, or ids as they are", async () => {
    const { model, executor } = answering("ok");
    const prompts: number[][] = [];
    executor.onForward = (batch) => {
      if (batch[0]!.sequence.length === 0) prompts.push(Array.from(batch[0]!.tokens));
    };
    const result = await model.completions.create({ prompt: "ab", temperature: 0 });
    await model.completions.create({ prompt: [1, 2, 3, 4], temperature: 0, max_tokens: 1 });
    expect(prompts).toEqual([
      [BOS, 97, 98],
      [1, 2, 3, 4],
    ]);
    expect(result).toMatchObject({
      id: expect.stringMatching(/^cmpl-/),
      object: "text_completion",
      choices: [{ index: 0, text: "ok", logprobs: null, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 },
    });
  });

  it("logprobs in the legacy shape", async () => {
    const { model } = answering("aüb");
    const { choices } = await model.completions.create({ prompt: "x", temperature: 0, logprobs: 2 });
    const logprobs = choices[0]!.logprobs!;
    expect(logprobs.tokens).toEqual(["a", "\ufffd", "\ufffd", "b", "<|im_end|>"]);
    expect(logprobs.text_offset).toEqual([0, 1, 1, 2, 3]);
    expect(logprobs.top_logprobs[0]!.a).toBe(logprobs.token_logprobs[0]);
    expect(Object.keys(logprobs.top_logprobs[3]!).length).toBe(2);
  });

  it("an empty prompt of a model without BOS is refused", async () => {
    const { model } = answering("x");
    await expect(model.completions.create({ prompt: [] })).rejects.toMatchObject({ param: "prompt" });
  });
});

describe("streaming equals not streaming", () => {
  it("for every field, over many requests", async () => {
    const { model } = hashed({ contextLength: 64 });
    for (let seed = 0; seed < 25; seed++) {
      const fields: Partial<ChatCompletionRequest> = {
        seed,
        temperature: 1.5,
        max_tokens: 1 + (seed % 30),
        logprobs: seed % 2 === 0,
        stop: ["a", "\ufffd\ufffd"],
        reasoning_format: seed % 3 ? "none" : "deepseek",
        repeat_penalty: 1.1,
      };
      model.clearPrefixCache();
      const whole = await chat(model, fields);
      model.clearPrefixCache(); // else `cached_tokens` differ
      const chunks = await all(await chatStream(model, { ...fields, stream_options: { include_usage: true } }));
      const choice = (chunk: ChatCompletionChunk) => chunk.choices[0];
      const { message, logprobs, finish_reason } = whole.choices[0]!;
      expect(chunks.map((chunk) => choice(chunk)?.delta.content ?? "").join("")).toBe(message.content);
      expect(chunks.map((chunk) => choice(chunk)?.delta.reasoning_content ?? "").join("")).toBe(
        message.reasoning_content ?? "",
      );
      expect(chunks.flatMap((chunk) => choice(chunk)?.logprobs?.content ?? [])).toEqual(logprobs?.content ?? []);
      expect(choice(chunks.at(-2)!)!.finish_reason).toBe(finish_reason);
      expect(chunks.at(-1)!.usage).toEqual(whole.usage);

      const request: CompletionRequest = {
        prompt: `p${seed}`,
        seed,
        max_tokens: 20,
        logprobs: 2,
        stop: "b",
        temperature: 1,
      };
      const text = await model.completions.create({ ...request, stream: false });
      const pieces = await all(await model.completions.create({ ...request, stream: true }));
      expect(pieces.map((piece) => piece.choices[0]?.text ?? "").join("")).toBe(text.choices[0]!.text);
      expect(pieces.flatMap((piece) => piece.choices[0]?.logprobs?.token_logprobs ?? [])).toEqual(
        text.choices[0]!.logprobs?.token_logprobs ?? [],
      );
    }
  });

  it("together with others, a seed gives what it gives alone", async () => {
    const request = (seed: number) => ({
      seed,
      temperature: 1.2,
      max_tokens: 5 + seed,
      messages: [{ role: "user", content: "x".repeat(seed * 3) }],
    });
    const separate: (string | null)[] = [];
    for (let seed = 0; seed < 12; seed++)
      separate.push((await chat(hashed().model, request(seed))).choices[0]!.message.content);
    const { model, idle } = hashed({ pages: 30, maxBatchTokens: 20, maxLogitRows: 5 });
    const together = await Promise.all(Array.from({ length: 12 }, (_, seed) => chat(model, request(seed))));
    expect(together.map((result) => result.choices[0]!.message.content)).toEqual(separate);
    expect(idle()).toBe(true);
  });
});

describe("abort", () => {
  it("at every step: the reason comes, pages go back, no step follows, the next answer is right", async () => {
    const expected = (await chat(hashed().model, { ignore_eos: true, max_tokens: 20 })).choices[0]!.message.content;
    for (let at = 0; at < 25; at++) {
      const { model, executor, idle } = hashed({ maxBatchTokens: 4 });
      const controller = new AbortController();
      let after = 0;
      executor.onForward = () => {
        if (controller.signal.aborted) after++;
        if (executor.batches.length === at) queueMicrotask(() => controller.abort());
      };
      const stream = await model.chat.completions.create(
        { messages, temperature: 0, ignore_eos: true, max_tokens: 30, stream: true },
        { signal: controller.signal },
      );
      await expect(all(stream)).rejects.toMatchObject({ name: "AbortError" });
      expect(executor.batches.length).toBe(at + 1);
      expect(after).toBe(0);
      expect(idle()).toBe(true);
      executor.onForward = undefined;
      const next = await chat(model, { ignore_eos: true, max_tokens: 20 });
      expect(next.choices[0]!.message.content).toBe(expected);
    }
  });

  it("works for whole answers, in the body, with a reason, and before the start", async () => {
    const { model, executor, idle } = hashed();
    const controller = new AbortController();
    executor.onForward = () => {
      if (executor.batches.length === 3) queueMicrotask(() => controller.abort(new Error("enough")));
    };
    await expect(chat(model, { signal: controller.signal, ignore_eos: true })).rejects.toThrow("enough");
    await expect(chat(model, { signal: controller.signal })).rejects.toThrow("enough");
    expect(executor.batches.length).toBe(4);
    expect(idle()).toBe(true);
  });

  it("by a timer while others go on", async () => {
    const { model, idle } = hashed({ contextLength: 100_000, pages: 20_000 });
    const endless = chat(model, { signal: AbortSignal.timeout(20), ignore_eos: true });
    const other = chat(model, { ignore_eos: true, max_tokens: 50 });
    await expect(endless).rejects.toMatchObject({ name: "TimeoutError" });
    expect((await other).usage.completion_tokens).toBe(50);
    expect(idle()).toBe(true);
  });

  it("leaving the loop ends the request; a stream that nobody reads costs nothing", async () => {
    const { model, executor, idle } = hashed();
    for await (const chunk of await chatStream(model, { ignore_eos: true })) if (chunk.choices[0]!.delta.content) break;
    expect(idle()).toBe(true);
    const batches = executor.batches.length;
    await chatStream(model);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(executor.batches.length).toBe(batches);
  });
});

describe("a slow reader", () => {
  it("pauses its generation at 64 unread tokens, and only its own", async () => {
    const { model, executor, idle } = hashed({ contextLength: 4096, pages: 1024 });
    const options = { prompt: [1, 2, 3], endIds: new Set<number>(), sampling: greedy };
    const slow = model.generate({ ...options, maxTokens: 300 });
    const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
    for (let i = 0; i < 1000 && executor.batches.length < 64; i++) await turn();
    for (let i = 0; i < 5; i++) await turn();
    expect(executor.batches.length).toBe(64);
    expect((await chat(model, { max_tokens: 100, ignore_eos: true })).usage.completion_tokens).toBe(100);
    const events = await all(slow);
    expect(events.length).toBe(301);
    expect(events.at(-1)).toMatchObject({ type: "finish", reason: "length" });
    expect(idle()).toBe(true);
  });
});

const greedy = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repeatPenalty: 1,
  repeatLastN: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: new Map<number, number>(),
  seed: 0,
};

describe("generate", () => {
  it("gives each token with its text, and the end token", async () => {
    const { model, script } = answering("aü");
    const events = await all(model.generate({ prompt: [5, 6], endIds: tokenizer.endIds, sampling: greedy }));
    expect(
      events.map((event) =>
        event.type === "token" ? [event.id, event.text, event.offset, event.end] : (event as FinishEvent).reason,
      ),
    ).toEqual([
      [script[0], "a", 0, false],
      [script[1], "", 1, false],
      [script[2], "ü", 1, false],
      [IM_END, "", 2, true],
      "stop",
    ]);
  });
  it("special <think> tokens show in the text, other special tokens do not", async () => {
    const { model } = answering("<think>a<|im_start|></think>b");
    const events = await all(model.generate({ prompt: [5], endIds: tokenizer.endIds, sampling: greedy }));
    expect(events.map((event) => (event.type === "token" ? event.text : "")).join("")).toBe("<think>a</think>b");
  });
  it("refuses ids that are not tokens", () => {
    const { model } = answering("a");
    for (const prompt of [[], [-1], [300], [1.5], [Number.NaN]]) {
      expect(() => model.generate({ prompt, endIds: new Set(), sampling: greedy })).toThrow(
        expect.objectContaining({ code: "invalid_argument", param: "prompt" }),
      );
    }
  });
  it("logits that are not finite end one request with an error", async () => {
    const { model, idle } = answering("abc", { next: () => undefined });
    const executor = new FakeExecutor({ next: (tokens) => (tokens.length === 8 ? 9 : undefined) });
    const forward = executor.forward.bind(executor);
    executor.forward = (batch) => forward(batch).map((row) => (row[9] === 30 ? row.fill(Number.NaN) : row));
    const bad = create(executor);
    await expect(bad.completions.create({ prompt: [1, 2, 3], ignore_eos: true })).rejects.toMatchObject({
      code: "non_finite_logits",
    });
    expect(executor.live.size).toBe(0);
    expect(
      (await bad.completions.create({ prompt: new Array(9).fill(1), max_tokens: 3, ignore_eos: true })).usage!
        .completion_tokens,
    ).toBe(3);
    expect(model.info.name).toBe("fake");
    expect(idle()).toBe(true);
  });
});

describe("text and templates", () => {
  it("tokenize, detokenize, applyTemplate, info", () => {
    const { model } = answering("a");
    expect(model.tokenize("a<eos>")).toEqual([BOS, 97, EOS]);
    expect(model.tokenize("<eos>", { special: false, addBos: false }).length).toBe(5);
    expect(model.detokenize([BOS, 97], { skipSpecial: true })).toBe("a");
    expect(model.applyTemplate(messages)).toBe("<bos><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    expect(model.applyTemplate(messages, { addGenerationPrompt: false })).toBe("<bos><|im_start|>user\nHi<|im_end|>\n");
    expect(model.applyTemplate(messages, { variables: { thinking: true } })).toMatch(/<think>$/);
    expect(model.info).toEqual({
      name: "fake",
      architecture: "test",
      contextLength: 256,
      vocabSize: 300,
      hiddenSize: 8,
      lora: [],
      chatTemplate: "model",
      sampling: SAMPLING_DEFAULTS,
      endIds: [EOS, IM_END],
    });
  });
  it("without a template: turn tokens of the vocabulary, or an explanation", async () => {
    expect(create(new FakeExecutor(), { templates: undefined }).info.chatTemplate).toBe("fallback");
    const base = new FakeTokenizer();
    base.idOf = () => undefined;
    const model = create(new FakeExecutor(), { templates: undefined, tokenizer: base });
    expect(model.info.chatTemplate).toBe("none");
    await expect(chat(model)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("completions"),
    });
  });
  it("a template that does not parse is refused at load", () => {
    expect(() => create(new FakeExecutor(), { templates: new Map([["default", "{% for"]]) })).toThrow(
      expect.objectContaining({ code: "template_error" }),
    );
  });
});

describe("sessions", () => {
  const logitsOf = (tokens: number[]) => [...fakeLogits(tokens, new Float32Array(300))];
  it("forward: last, all, none; longer than a batch", () => {
    const { model, executor } = hashed({ maxBatchTokens: 8, maxLogitRows: 3 });
    const session = model.session();
    const tokens = Array.from({ length: 20 }, (_, i) => i + 1);
    expect([...session.forward(tokens)]).toEqual(logitsOf(tokens));
    expect(session.forward([7, 8, 9], { logits: "none" }).length).toBe(0);
    const every = session.forward([1, 2, 3, 4, 5, 6, 7], { logits: "all" });
    expect(every.length).toBe(7 * 300);
    for (let i = 0; i < 7; i++) {
      const prefix = [...tokens, 7, 8, 9, ...[1, 2, 3, 4, 5, 6, 7].slice(0, i + 1)];
      expect([...every.subarray(i * 300, (i + 1) * 300)]).toEqual(logitsOf(prefix));
    }
    expect(session.length).toBe(30);
    expect(Math.max(...executor.batches.flat())).toBeLessThanOrEqual(8);
  });
  it("the result is a copy", () => {
    const { model } = hashed();
    const session = model.session();
    const first = session.forward([1]);
    session.forward([2]);
    expect([...first]).toEqual(logitsOf([1]));
  });
  it("fork and truncate; pages go back", () => {
    const { model, idle } = hashed();
    const session = model.session();
    session.forward([1, 2, 3, 4, 5]);
    const other = session.fork();
    expect([...other.forward([6])]).toEqual(logitsOf([1, 2, 3, 4, 5, 6]));
    session.truncate(2);
    expect([...session.forward([9])]).toEqual(logitsOf([1, 2, 9]));
    expect([session.length, other.length]).toEqual([3, 6]);
    session.dispose();
    session.dispose();
    other.dispose();
    expect(idle()).toBe(true);
    expect(() => session.forward([1])).toThrow(expect.objectContaining({ code: "disposed" }));
    expect(() => session.length).toThrow(expect.objectContaining({ code: "disposed" }));
  });
  it("a forward that fails half-way appends nothing", () => {
    const { model, executor } = hashed({ maxBatchTokens: 4 });
    const session = model.session();
    session.forward([1, 2, 3]);
    executor.onForward = () => {
      if (executor.batches.length === 3) throw new Error("half-way");
    };
    expect(() => session.forward([4, 5, 6, 7, 8, 9, 10, 11, 12])).toThrow("half-way");
    executor.onForward = undefined;
    expect(session.length).toBe(3);
    expect([...session.forward([4])]).toEqual(logitsOf([1, 2, 3, 4]));
  });
  it("refuses bad arguments", () => {
    const { model } = hashed({ contextLength: 10 });
    const session = model.session();
    for (const tokens of [[], [300], [-1], [0.5], ["1"]]) {
      expect(() => session.forward(tokens as number[])).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    }
    expect(() => session.forward([1], { logits: "some" as "all" })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
    expect(() => session.forward(new Array(11).fill(1))).toThrow(expect.objectContaining({ code: "context_full" }));
    for (const length of [-1, 1, 0.5])
      expect(() => session.truncate(length)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});

describe("dispose", () => {
  it("ends requests and sessions; afterwards everything fails with code disposed", async () => {
    const { model, executor } = hashed();
    const pages = executor.freePages;
    const session = model.session();
    session.forward([1, 2]);
    const running = chat(model, { ignore_eos: true });
    const stream = await chatStream(model);
    const failed = expect(running).rejects.toMatchObject({ code: "disposed" });
    await new Promise((resolve) => setImmediate(resolve));
    model.dispose();
    model.dispose();
    await failed;
    await expect(all(stream)).rejects.toMatchObject({ code: "disposed" });
    expect([executor.freePages, executor.live.size]).toEqual([pages, 0]);
    expect(executor.disposed).toBe(true);
    const disposed = expect.objectContaining({ name: "NibbleError", code: "disposed" });
    await expect(chat(model)).rejects.toEqual(disposed);
    await expect(model.completions.create({ prompt: "a" })).rejects.toEqual(disposed);
    for (const call of [
      () => model.session(),
      () => session.forward([1]),
      () => model.tokenize("a"),
      () => model.detokenize([1]),
      () => model.applyTemplate(messages),
      () => model.generate({ prompt: [1], endIds: new Set(), sampling: greedy }),
    ]) {
      expect(call).toThrow(disposed);
    }
  });
});
