/** Chat and text completions: their shapes, ends, log-probabilities, and streams. */
import { describe, expect, it } from "vitest";
import type { ChatCompletionChunk, ChatCompletionRequest } from "../../src/engine/openai/chat-types.ts";
import type { CompletionRequest } from "../../src/engine/openai/completion-types.ts";
import { BOS, EOS, IM_END } from "../helpers/fake-tokenizer.ts";
import { all, answering, chat, chatStream, hashed, messages } from "./answering.ts";

describe("chat completions", () => {
  it("answer in OpenAI's shape", async () => {
    const { model, script, idle } = answering("Grüße 😀!");
    const before = Math.floor(Date.now() / 1000);
    const result = await chat(model);
    expect(result.created).toBeGreaterThanOrEqual(before);
    expect(result.created).toBeLessThanOrEqual(Date.now() / 1000);
    const promptLength = model.tokenize(model.applyTemplate(messages), { addBos: false }).length;
    expect(result).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{24}$/),
      object: "chat.completion",
      created: result.created,
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
