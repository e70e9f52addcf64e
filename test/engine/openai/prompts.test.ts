/** Lists of prompts, log-probabilities in the forms of evaluation harnesses and llama-server, and limits of zero. */
import { describe, expect, it } from "vitest";
import { createModel } from "../../../src/engine/model.ts";
import type { Completion, CompletionRequest } from "../../../src/engine/openai/completion-types.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { BOS, FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const tokenizer = new FakeTokenizer();

function setUp(options: FakeOptions = {}) {
  const executor = new FakeExecutor({ contextLength: 512, pages: 2000, ...options });
  const pages = executor.freePages;
  const model = createModel({ name: "fake", architecture: "test", tokenizer, executor });
  const ask = (fields: Partial<CompletionRequest> & Pick<CompletionRequest, "prompt">) =>
    model.completions.create({ temperature: 1, seed: 3, max_tokens: 6, ...fields, stream: false });
  return { model, executor, ask, idle: () => isIdle(model, executor, pages) };
}

describe("a list of prompts", () => {
  it.each<[string, CompletionRequest["prompt"]]>([
    ["texts", ["one", "two", "three"]],
    ["lists of ids", [[1, 2], [3], [4, 5, 6]]],
  ])("%s: each as alone, times n, in order of index", async (_, prompts) => {
    const { ask, idle } = setUp();
    const { choices, usage } = await ask({ prompt: prompts, n: 2 });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    const alone: Completion[] = [];
    for (const prompt of prompts as (string | number[])[]) alone.push(await ask({ prompt, n: 2 }));
    const texts = alone.flatMap((one) => one.choices.map(({ text }) => text));
    expect(choices.map(({ text }) => text)).toEqual(texts);
    expect(new Set(texts).size).toBe(6);
    const sum = (key: "prompt_tokens" | "completion_tokens" | "total_tokens") =>
      alone.reduce((total, one) => total + one.usage![key], 0);
    for (const key of ["prompt_tokens", "completion_tokens", "total_tokens"] as const)
      expect(usage![key]).toBe(sum(key));
    expect(idle()).toBe(true);
  });

  it("streamed: the same texts under the same indices", async () => {
    const { model, ask } = setUp();
    const prompt = ["one", "two"];
    const texts = ["", ""];
    for await (const { choices } of await model.completions.create({
      prompt,
      temperature: 1,
      seed: 3,
      max_tokens: 6,
      stream: true,
    }))
      for (const { index, text } of choices) texts[index] += text;
    expect(texts).toEqual((await ask({ prompt })).choices.map(({ text }) => text));
  });

  it("is computed together", async () => {
    const { ask, executor } = setUp();
    await ask({ prompt: ["a", "b", "c", "d"] });
    expect(Math.max(...executor.batches.map((batch) => batch.length))).toBe(4);
  });

  it("200 prompts, echoed", async () => {
    const { ask, idle } = setUp();
    const prompt = Array.from({ length: 200 }, (_, i) => `prompt ${i} `);
    const { choices } = await ask({ prompt, echo: true, max_tokens: 1 });
    expect(choices.every(({ text }, i) => text.startsWith(prompt[i]!))).toBe(true);
    expect(idle()).toBe(true);
  });

  it.each<[unknown, string]>([
    [[], "prompt"],
    [[[1], "a"], "prompt[1]"],
    [[[1], []], "prompt[1]"],
    [["a", [1]], "prompt[0]"],
    [[[1], [999]], "prompt[1]"],
    [[[1], new Array(513).fill(1)], "prompt[1]"],
    [new Array(2), "prompt[0]"],
    [new Array(2049).fill("a"), "prompt"],
  ])("%#: what is none is named", async (prompt, param) => {
    await expect(setUp().ask({ prompt } as never)).rejects.toMatchObject({ param });
  });

  it("ids with texts between them are one prompt, as in llama-server", async () => {
    const { ask } = setUp();
    const mixed = await ask({ prompt: [BOS, "one", 1] as never, max_tokens: 1 });
    const ids = await ask({ prompt: [BOS, ...tokenizer.encode("one", { addBos: false }), 1], max_tokens: 1 });
    expect(mixed.choices).toEqual(ids.choices);
  });
});

describe("log-probabilities", () => {
  it("every generated token is listed, the end token too", async () => {
    const { ask } = setUp({ next: () => IM_END });
    const { choices, usage } = await ask({ prompt: "a", logprobs: 1 });
    expect(choices[0]).toMatchObject({ text: "", finish_reason: "stop", logprobs: { tokens: ["<|im_end|>"] } });
    expect(usage!.completion_tokens).toBe(1);
  });

  it.each([0, 1, 3])("logprobs: %i lists the token itself and so many others", async (k) => {
    const { ask } = setUp();
    const { choices } = await ask({ prompt: "a", logprobs: k, temperature: 2, max_tokens: 40 });
    const { tokens, token_logprobs, top_logprobs } = choices[0]!.logprobs!;
    for (const [i, token] of tokens.entries()) {
      expect(top_logprobs[i]![token]).toBe(token_logprobs[i]);
      expect(Object.keys(top_logprobs[i]!).length).toBeLessThanOrEqual(k + 1);
    }
  });

  it("offsets are places in the text as sent, special tokens included", async () => {
    const { ask } = setUp();
    const prompts: [CompletionRequest["prompt"], number][] = [
      ["<bos>ab<|im_end|>cd", 0],
      ["ab<|im_end|>cd", 1], // A BOS that the tokenizer has added is not in the text.
      [[BOS, 97, IM_END, 98], 0],
    ];
    for (const [prompt, hidden] of prompts) {
      const { choices } = await ask({ prompt, echo: true, logprobs: 0, max_tokens: 0 });
      const { text, logprobs } = choices[0]!;
      const shown = logprobs!.tokens.map((token, i) => text.startsWith(token, logprobs!.text_offset[i]));
      expect(shown.filter((is) => !is).length).toBe(hidden);
      expect(logprobs!.text_offset.at(-1)).toBe(text.length - logprobs!.tokens.at(-1)!.length);
    }
  });

  it("n_probs and post_sampling_probs are llama-server's", async () => {
    const { ask } = setUp();
    const fields = { prompt: "a", n_probs: 4, post_sampling_probs: true, top_k: 3, top_p: 1, min_p: 0, max_tokens: 20 };
    const { content, tokens } = (await ask(fields)).choices[0]!.logprobs!;
    expect(content!.map(({ token }) => token)).toEqual(tokens);
    for (const { id, logprob, top_logprobs, prob, top_probs } of content!) {
      expect(logprob).toBeLessThan(0);
      expect(top_logprobs.length).toBeGreaterThanOrEqual(4);
      expect(top_probs!.length).toBe(3); // the number that top_k keeps
      expect(top_probs!.find((one) => one.id === id)!.prob).toBe(prob);
      expect(top_probs!.reduce((sum, one) => sum + one.prob, 0)).toBeCloseTo(1, 12);
    }
    const greedy = await ask({ ...fields, temperature: 0 });
    for (const { prob, top_probs } of greedy.choices[0]!.logprobs!.content!)
      expect([prob, top_probs!.map((one) => one.prob)]).toEqual([1, [1]]);
    expect((await ask({ prompt: "a", logprobs: 1 })).choices[0]!.logprobs!.content).toBeUndefined();
  });
});

describe("limits", () => {
  it("max_tokens 0 reads the prompt only, -1 is no bound; n_predict is the same", async () => {
    const { ask } = setUp({ next: (tokens) => (tokens.length > 40 ? IM_END : 97) });
    for (const field of ["max_tokens", "n_predict"]) {
      const none = await ask({ prompt: "a", max_tokens: null, [field]: 0 });
      expect(none).toMatchObject({ choices: [{ text: "", finish_reason: "length" }], usage: { completion_tokens: 0 } });
      const all = await ask({ prompt: "a", max_tokens: null, [field]: -1 });
      expect(all.choices[0]).toMatchObject({ finish_reason: "stop" });
    }
  });

  it("neutral values of fields that are not supported pass, others are refused with what to do instead", async () => {
    const { ask } = setUp();
    const neutral = { best_of: 1, suffix: "", use_beam_search: false, length_penalty: 1, logits_processors: [] };
    await expect(ask({ prompt: "a", ...neutral } as never)).resolves.toBeDefined();
    await expect(ask({ prompt: "a", best_of: 2 })).rejects.toMatchObject({ param: "best_of" });
  });
});
