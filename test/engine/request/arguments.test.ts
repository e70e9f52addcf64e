/** Wrong arguments of the library's calls: always `invalid_argument` that names the argument, never a TypeError. */
import { describe, expect, it } from "vitest";
import type { GenerateEvent } from "../../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const defaults = {
  ...SAMPLING_DEFAULTS,
  temperature: 0,
  topK: 3,
  topP: 0.5,
  minP: 0.1,
  repeatPenalty: 1.1,
  repeatLastN: 5,
};
const executor = new FakeExecutor({ contextLength: 64 });
const model = createModel({ name: "fake", architecture: "test", tokenizer: new FakeTokenizer(), executor, defaults });

/** Every call, with arguments of any type. */
interface Untyped {
  generate(...args: unknown[]): AsyncIterable<GenerateEvent>;
  tokenize(...args: unknown[]): number[];
  detokenize(...args: unknown[]): string;
  tokenBytes(...args: unknown[]): Uint8Array;
  applyTemplate(...args: unknown[]): string;
  session(): { forward(...args: unknown[]): Float32Array; truncate(...args: unknown[]): void; length: number };
  chat: { completions: { create(...args: unknown[]): Promise<unknown> } };
}
const untyped = model as unknown as Untyped;
const refusal = (param: string) => expect.objectContaining({ name: "NibbleError", code: "invalid_argument", param });
const refuses = (call: () => unknown, param: string) => expect(call).toThrow(refusal(param));

const NO_IDS = [undefined, null, 5, true, "abc", {}, { length: 1e9 }, { length: 1, 0: 5 }, new DataView(new ArrayBuffer(4))]; // biome-ignore format: a list
// biome-ignore lint/suspicious/noSparseArray: the hole is the case
const WRONG_IDS = [[undefined], [,], [null], ["1"], [1.5], [-1], [1e9], [Number.NaN], [{}], new BigInt64Array(1)];
const messages = [{ role: "user", content: "Hi" }];

describe("generate", () => {
  it("options that are none, or unknown", () => {
    for (const options of [undefined, null, 5, "x", [1]]) refuses(() => untyped.generate(options), "options");
    refuses(() => untyped.generate({ prompt: [1], temperature: 0 }), "temperature");
    refuses(() => untyped.generate({ prompt: [1], sampling: { temprature: 0 } }), "sampling.temprature");
  });

  it("prompts", () => {
    for (const prompt of [...NO_IDS, ...WRONG_IDS, []]) refuses(() => untyped.generate({ prompt }), "prompt");
    const full = { code: "context_full", param: "prompt" };
    expect(() => untyped.generate({ prompt: new Array(64).fill(1) })).toThrow(expect.objectContaining(full));
  });

  const wrong: Record<string, unknown[]> = {
    maxTokens: [0, -1, 1.5, "1", Number.NaN, {}],
    sampling: [5, "x", []],
    stop: [5, {}, [1], new Array(2), ["x".repeat(257)], new Array(17).fill("a")],
    endIds: [5, "a", {}, ["a"], [-1], new Set(["a"])],
    logprobs: [-1, 0.5, "1", 1e9],
    choice: [-1, 0.5, "1"],
    draftMax: [-1, 0.5, "1"],
    signal: [5, {}, "x"],
  };
  it.each(Object.entries(wrong))("%s", (name, values) => {
    for (const value of values) refuses(() => untyped.generate({ prompt: [1], [name]: value }), name);
  });

  const wrongSampling: Record<string, unknown[]> = {
    temperature: [-1, 1e6, "1", Number.NaN],
    topK: [-2, 1.5],
    topP: [-0.1, 2],
    minP: [-1, 2],
    repeatPenalty: [0, 11],
    repeatLastN: [-2, 0.5],
    presencePenalty: [-1e6, 1e6],
    frequencyPenalty: [-1e6, 1e6],
    seed: [1.5, "1", Number.NaN],
    logitBias: [5, {}, [], new Map([["1", 1]]), new Map([[1, "1"]]), new Map([[1, Number.NaN]]), new Map([[1e9, 1]])],
  };
  it.each(Object.entries(wrongSampling))("sampling.%s", (name, values) => {
    for (const value of values)
      refuses(() => untyped.generate({ prompt: [1], sampling: { [name]: value } }), `sampling.${name}`);
  });
});

/** Token ids of an answer. */
async function ids(of: Model, options: Partial<GenerateOptions>): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of of.generate({ prompt: [5, 6, 7], maxTokens: 8, ...options }))
    if (event.type === "token") tokens.push(event.id);
  return tokens;
}

describe("options that generate's caller leaves out have the model's values", () => {
  it("sampling: none, info.sampling, or some of it", async () => {
    const full = { ...defaults, logitBias: new Map<number, number>(), seed: 3 };
    const expected = await ids(model, { sampling: full });
    expect(await ids(model, {})).toEqual(expected);
    expect(await ids(model, { sampling: model.info.sampling })).toEqual(expected);
    expect(await ids(model, { sampling: { logitBias: new Map([[expected[0]!, -Infinity]]) } })).not.toEqual(expected);
    const drawn = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 9 };
    const first = await ids(model, { sampling: drawn });
    expect(await ids(model, { sampling: drawn })).toEqual(first);
    expect(await ids(model, { sampling: { ...drawn, seed: 10 } })).not.toEqual(first);
  });

  it("end tokens, which may be an array or a set", async () => {
    const ending = createModel({
      name: "fake",
      architecture: "test",
      tokenizer: new FakeTokenizer(),
      executor: new FakeExecutor({ next: (tokens) => (tokens.length === 5 ? IM_END : 40) }),
    });
    expect(await ids(ending, {})).toEqual([40, 40, IM_END]);
    expect(await ids(ending, { endIds: ending.info.endIds })).toEqual([40, 40, IM_END]);
    expect(await ids(ending, { endIds: new Set([40]) })).toEqual([40]);
    expect(await ids(ending, { endIds: [] })).toHaveLength(8);
  });
});

describe("sessions", () => {
  it("forward", () => {
    const session = untyped.session();
    for (const tokens of [...NO_IDS, ...WRONG_IDS, []]) refuses(() => session.forward(tokens), "tokens");
    for (const options of [5, "x", []]) refuses(() => session.forward([1], options), "options");
    refuses(() => session.forward([1], { logits: 5 }), "logits");
    refuses(() => session.forward([1], { logit: "all" }), "logit");
    expect(session.length).toBe(0);
    expect(session.forward(Int32Array.of(1, 2)).length).toBe(executor.vocabSize);
  });

  it("truncate", () => {
    const session = untyped.session();
    session.forward([1, 2, 3]);
    for (const length of [undefined, null, "1", Number.NaN, 0.5, -1, 4, {}])
      refuses(() => session.truncate(length), "length");
    expect(session.length).toBe(3);
  });
});

it("tokenize and detokenize", () => {
  for (const text of [undefined, null, 5, {}, ["a"]]) refuses(() => untyped.tokenize(text), "text");
  refuses(() => untyped.tokenize("a", 5), "options");
  refuses(() => untyped.tokenize("a", { special: 1 }), "special");
  refuses(() => untyped.tokenize("a", { addSpecial: true }), "addSpecial");
  for (const ids of [...NO_IDS, ...WRONG_IDS]) refuses(() => untyped.detokenize(ids), "ids");
  expect(untyped.detokenize(untyped.tokenize("a", null), null)).toBe(model.detokenize(model.tokenize("a")));
  expect(untyped.tokenize("a", { addBos: false, special: null })).toEqual(model.tokenize("a", { addBos: false }));
  refuses(() => untyped.detokenize([1], { skipSpecial: 1 }), "skipSpecial");
  expect(model.tokenBytes(97)).toEqual(new TextEncoder().encode(model.detokenize([97])));
  for (const id of [-1, 1e9, 0.5, "1", undefined]) refuses(() => untyped.tokenBytes(id), "id");
});

it("applyTemplate", () => {
  for (const wrong of [undefined, null, 5, "x", {}, [5], [null], [{}], [{ role: 5 }]])
    refuses(() => untyped.applyTemplate(wrong), "messages");
  refuses(() => untyped.applyTemplate(messages, 5), "options");
  refuses(() => untyped.applyTemplate(messages, { addGenerationPrompt: 1 }), "addGenerationPrompt");
  refuses(() => untyped.applyTemplate(messages, { tools: 5 }), "tools");
  refuses(() => untyped.applyTemplate(messages, { variables: 5 }), "variables");
  for (const now of [5, new Date(Number.NaN)]) refuses(() => untyped.applyTemplate(messages, { now }), "now");
});

it("the options beside a request", async () => {
  const { create } = untyped.chat.completions;
  for (const options of [5, "x", []]) await expect(create({ messages }, options)).rejects.toThrow(refusal("options"));
  await expect(create({ messages }, { signal: 5 })).rejects.toThrow(refusal("signal"));
  await expect(create({ messages }, { timeout: 5 })).rejects.toThrow(refusal("timeout"));
});
