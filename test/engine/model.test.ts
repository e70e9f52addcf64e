import { describe, expect, it } from "vitest";
import type { FinishEvent } from "../../src/engine/generate/events.ts";
import { SAMPLING_DEFAULTS } from "../../src/engine/sample/defaults.ts";
import { FakeExecutor, fakeLogits, isIdle } from "../helpers/fake-executor.ts";
import { BOS, EOS, FakeTokenizer, IM_END } from "../helpers/fake-tokenizer.ts";
import { all, answering, chat, create, greedy, hashed, messages, tokenizer } from "./answering.ts";

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
    const pages = executor.freePages;
    const bad = create(executor);
    await expect(bad.completions.create({ prompt: [1, 2, 3], ignore_eos: true })).rejects.toMatchObject({
      code: "non_finite_logits",
    });
    expect(isIdle(bad, executor, pages)).toBe(true);
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
      bosToken: "<bos>",
      eosToken: "<eos>",
      architecture: "test",
      contextLength: 256,
      vocabSize: 300,
      hiddenSize: 8,
      embedding: { pooling: "mean", normalize: true, prompts: {} },
      lora: [],
      chatTemplate: "model",
      sampling: SAMPLING_DEFAULTS,
      endIds: [EOS, IM_END],
      infill: true,
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
