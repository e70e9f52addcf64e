/** The provider under the real AI SDK, versions 7 and 6, on crumb. */
import { join } from "node:path";
import type { EmbeddingModelV3, EmbeddingModelV4, LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import { embed, embedMany, generateText, streamText } from "ai";
import { embed as embed6, generateText as generateText6, streamText as streamText6 } from "ai-6";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createNibble, type EmbeddingModel, type LanguageModel } from "../../src/entries/ai-sdk.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { root, testHost } from "../helpers/models.ts";

const PROMPT = "How much is 8 * 33?";
const greedy = { prompt: PROMPT, temperature: 0, maxOutputTokens: 200 };

let model: Model;
let loads = 0;
beforeAll(async () => {
  model = await createLoad(testHost)(join(root, "dist/crumb.gguf"), { name: "crumb" });
});
const load = async () => {
  loads++;
  return model;
};
const nibble = createNibble({ load });
const nibble3 = createNibble({ load, specificationVersion: "v3" });

/** The engine's own answer. */
async function direct() {
  const messages = [{ role: "user", content: PROMPT }];
  const answer = await model.chat.completions.create({
    messages,
    temperature: 0,
    max_tokens: 200,
    reasoning_format: "auto",
  });
  return answer.choices[0]!.message;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("AI SDK 7", () => {
  it("has the specification's types", () => {
    expectTypeOf<LanguageModel<"v4">>().toExtend<LanguageModelV4>();
    expectTypeOf<LanguageModel<"v3">>().toExtend<LanguageModelV3>();
    expectTypeOf<EmbeddingModel<"v4">>().toExtend<EmbeddingModelV4>();
    expectTypeOf<EmbeddingModel<"v3">>().toExtend<EmbeddingModelV3>();
  });

  it("generateText: the engine's text and reasoning, usage with cache reads", async () => {
    const expected = await direct();
    const { text, reasoningText, finishReason, rawFinishReason, usage, response, warnings } = await generateText({
      model: nibble("crumb"),
      ...greedy,
    });
    expect(text).toBe(expected.content);
    expect(text).toContain("264");
    expect(reasoningText).toBe(expected.reasoning_content);
    expect([finishReason, rawFinishReason]).toEqual(["stop", "stop"]);
    expect(warnings ?? []).toEqual([]);
    expect(response.modelId).toBe(model.info.name);
    const { inputTokens, outputTokens, inputTokenDetails, outputTokenDetails } = usage;
    // All but the last token of the prompt, whose logits are wanted, come from the request above.
    expect(inputTokenDetails.cacheReadTokens).toBeGreaterThan(0);
    expect(inputTokenDetails.cacheReadTokens! + inputTokenDetails.noCacheTokens!).toBe(inputTokens);
    expect(outputTokenDetails.textTokens! + outputTokenDetails.reasoningTokens!).toBe(outputTokens);
    expect(outputTokenDetails.reasoningTokens).toBeGreaterThan(0);
    expect(loads).toBe(1);
  });

  it("streamText: parts in the specified order, the same text", async () => {
    const expected = await direct();
    const result = streamText({ model: nibble("crumb"), ...greedy });
    const parts = await all(result.fullStream);
    const types = parts.map(({ type }) => type).filter((type, i, list) => type !== list[i - 1]);
    expect(types).toEqual([
      ...["start", "start-step"],
      ...["reasoning-start", "reasoning-delta", "reasoning-end"],
      ...["text-start", "text-delta", "text-end"],
      ...["finish-step", "finish"],
    ]);
    expect(await result.text).toBe(expected.content);
    expect(await result.reasoningText).toBe(expected.reasoning_content);
  });

  it("seeds, stop sequences and lengths reach the engine", async () => {
    const settings = { model: nibble("crumb"), prompt: PROMPT, temperature: 1, seed: 7 };
    const [one, two] = [await generateText(settings), await generateText(settings)];
    expect(one.text).toBe(two.text);
    const short = await generateText({ model: nibble("crumb"), prompt: PROMPT, maxOutputTokens: 3 });
    expect([short.finishReason, short.usage.outputTokens]).toEqual(["length", 3]);
    const stopped = await generateText({ ...settings, temperature: 0, stopSequences: ["264"] });
    expect(stopped.finishReason).toBe("stop");
    expect(stopped.text).not.toContain("264");
  });

  it("a reasoning effort is a budget of tokens", async () => {
    const none = await generateText({ model: nibble("crumb"), ...greedy, reasoning: "none" });
    expect(none.warnings ?? []).toEqual([]);
    expect(none.reasoningText ?? "").toBe("");
    expect(none.text).not.toBe("");
    const high = await generateText({ model: nibble("crumb"), ...greedy, reasoning: "high" });
    expect(high.text).toBe((await direct()).content);
  });

  it("an abort ends the request", async () => {
    const controller = new AbortController();
    const result = streamText({
      model: nibble("crumb"),
      prompt: PROMPT,
      providerOptions: { nibble: { ignore_eos: true } },
      abortSignal: controller.signal,
    });
    const types: string[] = [];
    for await (const { type } of result.fullStream) {
      types.push(type);
      if (types.length === 6) controller.abort();
    }
    expect(types.at(-1)).toBe("abort");
    expect(model.stats().requests).toBe(0);

    const late = generateText({ model: nibble("crumb"), ...greedy, abortSignal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
  });

  it("a stream that is left ends its request", async () => {
    const { stream } = await nibble("crumb").doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: PROMPT }] }],
      providerOptions: { nibble: { ignore_eos: true } },
    });
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    expect(model.stats().requests).toBe(1);
    await reader.cancel();
    expect(model.stats().requests).toBe(0);
  });

  it("warns about features that it does not have, and refuses parts that it cannot read", async () => {
    const tools = [{ type: "provider" as const, id: "openai.web_search", name: "search", args: {} }];
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: PROMPT }] }];
    const { warnings } = await nibble("crumb").doGenerate({ prompt, tools, maxOutputTokens: 2 });
    expect(warnings).toEqual([expect.objectContaining({ type: "unsupported", feature: "tool openai.web_search" })]);
    const image = { type: "file" as const, data: new Uint8Array(8), mediaType: "image/png" };
    const refused = generateText({ model: nibble("crumb"), messages: [{ role: "user", content: [image] }] });
    await expect(refused).rejects.toMatchObject({ code: "invalid_request", param: "prompt[0].content[0]" });
    const wrong = generateText({ model: nibble("crumb"), prompt: PROMPT, providerOptions: { nibble: { min_p: 7 } } });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_request", param: "min_p" });
  });
});

describe("embeddings", () => {
  const values = ["A train travels.", "How much is 8 * 33?"];

  it("are the engine's, with their tokens", async () => {
    const expected = (await model.embed(values)).map((vector) => Array.from(vector));
    const { embeddings, usage } = await embedMany({ model: nibble.embeddingModel("crumb"), values });
    expect(embeddings).toEqual(expected);
    expect(usage.tokens).toBe(values.reduce((sum, text) => sum + model.tokenize(text).length, 0));
    const six = await embed6({ model: nibble3.embeddingModel("crumb"), value: values[1]! });
    expect(six.embedding).toEqual(expected[1]);
  });

  it("take the engine's options and dimensions; an abort ends them", async () => {
    const [last] = await model.embed([values[0]!], { pooling: "last", normalize: false });
    const settings = { model: nibble.embeddingModel("crumb"), value: values[0]! };
    const options = { nibble: { pooling: "last", normalize: false } };
    expect((await embed({ ...settings, providerOptions: options })).embedding).toEqual([...last!]);
    const cut = await nibble.embeddingModel("crumb").doEmbed({ values, dimensions: 3 });
    expect(cut.embeddings).toEqual((await model.embed(values, { dimensions: 3 })).map((vector) => [...vector]));
    expect(cut.warnings).toEqual([]);
    const aborted = embed({ ...settings, abortSignal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    const wrong = embed({ ...settings, providerOptions: { nibble: { pooling: "max" } } });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_request", param: "pooling" });
  });
});

describe("AI SDK 6", () => {
  it("generateText and streamText give the same", async () => {
    const expected = await direct();
    const { text, reasoningText, warnings } = await generateText6({ model: nibble3("crumb"), ...greedy });
    expect(text).toBe(expected.content);
    expect(reasoningText).toBe(expected.reasoning_content);
    expect(warnings).toEqual([]);
    const result = streamText6({ model: nibble3("crumb"), ...greedy });
    expect((await all(result.textStream)).join("")).toBe(expected.content);
    expect((await result.usage).inputTokenDetails.cacheReadTokens).toBeGreaterThan(0);
  });
});

describe("the provider", () => {
  it("a load that fails is an error of the call, and may be tried again", async () => {
    let fails = true;
    const flaky = createNibble({
      load: async () => {
        if (fails) throw new Error("no file");
        return model;
      },
    });
    await expect(generateText({ model: flaky("crumb"), ...greedy })).rejects.toThrow("no file");
    fails = false;
    expect((await generateText({ model: flaky("crumb"), ...greedy })).text).toContain("264");
  });

  it("names its requirements in errors", () => {
    expect(() => createNibble({} as never)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    expect(() => nibble.imageModel("x")).toThrow("no image models");
  });
});
