/** Requests that end early, wait for a slow reader, or lose their model. */
import { describe, expect, it } from "vitest";
import { all, chat, chatStream, greedy, hashed, messages } from "./answering.ts";

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
