import { describe, expect, it } from "vitest";
import { Grammars } from "../../../src/engine/constrain/grammars.ts";
import { checkChatRequest } from "../../../src/engine/request/chat.ts";
import { checkCompletionRequest } from "../../../src/engine/request/completion.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const grammars = new Grammars(new FakeTokenizer());
const facts = { vocabSize: 300, contextLength: 64, endIds: new Set([257]), defaults: SAMPLING_DEFAULTS };
const encode = (text: string) => new FakeTokenizer().encode(text, { addBos: false });
const context = { ...facts, grammars, encode, adapters: [] };
const messages = [{ role: "user", content: "hi" }];
const chat = (fields: object) => checkChatRequest({ messages, ...fields }, context);
const completion = (fields: object) => checkCompletionRequest({ prompt: "hi", ...fields }, context);

const NOT_A_NUMBER = ["1", "", true, [], [1], {}, Number.NaN, Infinity, -Infinity, () => 1, 1n, Symbol("x")];
const NOT_AN_INTEGER = [...NOT_A_NUMBER, 0.5, 2 ** 53];
const NOT_A_BOOLEAN = [0, 1, "true", [], {}, Number.NaN];
const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i % 300, 1]));

/** Each field with values that must be refused. */
const BAD: Record<string, unknown[]> = {
  temperature: [...NOT_A_NUMBER, -0.1, 999999],
  top_p: [...NOT_A_NUMBER, -0.1, -1, 1.01],
  min_p: [...NOT_A_NUMBER, -0.1, 1.1],
  top_k: [...NOT_AN_INTEGER, -2],
  repeat_penalty: [...NOT_A_NUMBER, 0, -1, 11, 1e-300],
  repetition_penalty: [...NOT_A_NUMBER, 0, -1, 11],
  repeat_last_n: [...NOT_AN_INTEGER, -2],
  presence_penalty: [...NOT_A_NUMBER, -1e6, 1e6],
  frequency_penalty: [...NOT_A_NUMBER, -1e6, 1e6],
  seed: [...NOT_A_NUMBER, 0.5, 2 ** 65, -(2 ** 65)],
  "speculative.n_max": [...NOT_AN_INTEGER, -1],
  "speculative.n_min": [...NOT_AN_INTEGER, -1],
  "speculative.p_min": [...NOT_A_NUMBER, -0.1, 1.1],
  n: [...NOT_AN_INTEGER, 0, 129, -1, 1e9],
  max_tokens: [...NOT_AN_INTEGER, -2],
  n_predict: [...NOT_AN_INTEGER, -2],
  n_probs: [...NOT_AN_INTEGER, -1, 257],
  post_sampling_probs: NOT_A_BOOLEAN,
  stop: [
    1,
    true,
    {},
    [1],
    [null],
    new Array(2),
    ["a", "x".repeat(257)],
    "x".repeat(257),
    new Array(17).fill("a"),
    [["a"]],
  ],
  samplers: [1, "a", "kk", {}, ["nonsense"], new Array(1), ["top_k", "top_k"]],
  stop_token_ids: [1, "1", new Array(1), {}, [300], [-1], [1.5], ["1"], new Array(2000).fill(1)],
  logit_bias: [
    1,
    "a",
    [1],
    [[1]],
    [[300, 1]],
    new Array(1),
    { 300: 1 },
    { "": 1 },
    { 1: 101 },
    { 1: -101 },
    { 1: Number.NaN },
    { 1: Infinity },
    { 1: "1" },
    { 1: null },
    { 1: true },
    { 999999999: 1 },
    Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [i, 1])),
  ],
  ignore_eos: NOT_A_BOOLEAN,
  context_shift: NOT_A_BOOLEAN,
  n_keep: [...NOT_AN_INTEGER, -1],
  prompt_logprobs: [...NOT_AN_INTEGER, -1, 21],
  reasoning_budget: [...NOT_AN_INTEGER, -2],
  stream: NOT_A_BOOLEAN,
  model: [1, true, {}, [], "x".repeat(2000)],
  signal: [1, "abort", {}, { aborted: true }, []],
};
const BAD_CHAT: Record<string, unknown[]> = {
  tools: [1, "a", true, {}],
  functions: [1, "a", true, {}],
  tool_choice: ["required", 1, {}, []],
  max_completion_tokens: [...NOT_AN_INTEGER, -2],
  logprobs: NOT_A_BOOLEAN,
  reasoning_format: ["", 1, true, [], {}],
  messages: [null, undefined, 1, "hi", {}, [], new Array(1025).fill(messages[0])],
  chat_template_kwargs: [1, "a", [], true, many(65)],
  continue_final_message: [...NOT_A_BOOLEAN, true],
  add_generation_prompt: NOT_A_BOOLEAN,
  enable_thinking: NOT_A_BOOLEAN,
  thinking: [1, "a", []],
};
const BAD_COMPLETION: Record<string, unknown[]> = {
  logprobs: [...NOT_AN_INTEGER, -1, 21],
  echo: NOT_A_BOOLEAN,
  prompt: [null, undefined, 1, true, {}, [], [300], [-1], [1.5], [Number.NaN]],
};

describe("every field refuses bad values by name", () => {
  const expectParam = (run: () => unknown, param: string) =>
    expect(run).toThrow(expect.objectContaining({ name: "NibbleError", code: "invalid_request", param }));
  for (const [field, values] of Object.entries({ ...BAD, ...BAD_CHAT })) {
    it(`chat ${field}`, () => {
      for (const value of values) expectParam(() => chat({ [field]: value }), field);
    });
  }
  for (const [field, values] of Object.entries({ ...BAD, ...BAD_COMPLETION })) {
    it(`completion ${field}`, () => {
      for (const value of values) expectParam(() => completion({ [field]: value }), field);
    });
  }

  it("nested fields are named with their place", () => {
    const cases: [object, string][] = [
      [{ messages: [1] }, "messages[0]"],
      [{ messages: [messages[0], {}] }, "messages[1].role"],
      [{ messages: [{ role: 1, content: "a" }] }, "messages[0].role"],
      ...["ipython", "User", "", "__proto__"].map((role): [object, string] => [
        { messages: [{ role, content: "a" }] },
        "messages[0].role",
      ]),
      [{ response_format: 5 }, "response_format"],
      [{ response_format: {} }, "response_format.type"],
      [{ response_format: { type: "xml" } }, "response_format.type"],
      [{ response_format: { type: "text", scheme: {} } }, "response_format.scheme"],
      [{ messages: [{ role: "user" }] }, "messages[0].content"],
      [{ messages: [{ role: "user", content: 1 }] }, "messages[0].content"],
      [{ messages: [{ role: "user", content: [1] }] }, "messages[0].content[0]"],
      [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages[0].content[0].type"],
      [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
      [{ messages: [{ role: "user", content: [{ text: "a" }] }] }, "messages[0].content[0].type"],
      [{ messages: [{ role: "user", content: "a", name: 1 }] }, "messages[0].name"],
      [{ messages: [{ role: "user", content: "a", tool_calls: {} }] }, "messages[0].tool_calls"],
      [{ messages: [{ role: "user", content: "a", wieght: 1 }] }, "messages[0].wieght"],
      [{ reasoning: { max_tokens: -1 } }, "reasoning.max_tokens"],
      [{ reasoning: { max_tokens: "1" } }, "reasoning.max_tokens"],
      [{ reasoning: { max_tokens: 1 }, reasoning_budget: 2 }, "reasoning.max_tokens"],
      [{ reasoning: 1 }, "reasoning"],
      [{ reasoning_effort: "much" }, "reasoning_effort"],
      [{ reasoning: { effort: "" } }, "reasoning.effort"],
      [{ reasoning_effort: "low", reasoning: { effort: "high" } }, "reasoning.effort"],
      [{ reasoning_effort: "low", reasoning_budget: 1 }, "reasoning_effort"],
      [{ context_shift: true }, "context_shift"],
      [{ chat_template_kwargs: { a: () => 1 } }, "chat_template_kwargs.a"],
      [{ logprobs: true, top_logprobs: 21 }, "top_logprobs"],
      [{ logprobs: true, top_logprobs: -1 }, "top_logprobs"],
      [{ logprobs: true, top_logprobs: "2" }, "top_logprobs"],
      [{ top_logprobs: 2 }, "top_logprobs"],
      [{ stream_options: {} }, "stream_options"],
      [{ stream: true, stream_options: 1 }, "stream_options"],
      [{ stream: true, stream_options: { include_usage: 1 } }, "stream_options.include_usage"],
      [{ stream: true, stream_options: { other: true } }, "stream_options.other"],
    ];
    for (const [fields, param] of cases) expectParam(() => chat(fields), param);
  });

  it("bodies that are no objects", () => {
    for (const body of [undefined, null, 1, "x", [], true]) {
      expectParam(() => checkChatRequest(body, context), "body");
      expectParam(() => checkCompletionRequest(body, context), "body");
    }
  });

  it("stop that is no text says what it may be", () => {
    const message = "stop: expected a string or an array of at most 16 strings, got 5";
    expect(() => chat({ stop: 5 })).toThrow(message);
  });

  it("unknown fields are errors that name them", () => {
    for (const field of ["temprature", "flavour", "__proto__", "constructor"]) {
      const body = JSON.parse(`{"messages": [{"role": "user", "content": "a"}], "${field}": 1}`);
      expect(() => checkChatRequest(body, context)).toThrow(
        expect.objectContaining({ param: field, message: expect.stringContaining("unknown field") }),
      );
    }
  });
});

describe("accepted fields", () => {
  it("OpenAI's roles", () => {
    for (const role of ["system", "developer", "user", "assistant", "tool"])
      expect(chat({ messages: [{ role, content: "a" }] }).messages).toEqual([{ role, content: "a" }]);
  });

  it("fields with neutral values", () => {
    const plain = chat({ seed: 1 });
    expect(chat({ seed: 1, response_format: { type: "text" }, tools: [], tool_choice: "auto" })).toEqual(plain);
    expect(chat({ seed: 1, tool_choice: "none" })).toEqual(plain);
    expect(completion({ seed: 1, response_format: { type: "text" } })).toEqual(completion({ seed: 1 }));
  });

  it("defaults, and null for absent", () => {
    const nothing = Object.fromEntries(Object.keys({ ...BAD, ...BAD_CHAT }).map((key) => [key, null]));
    const { options, ...rest } = checkChatRequest({ ...nothing, messages }, context);
    expect(rest).toEqual({
      n: 1,
      promptLogprobs: false,
      detailed: false,
      tokenIds: false,
      idsAsTexts: false,
      ending: "new turn",
      stream: false,
      includeUsage: false,
      messages,
      templateVariables: new Map(),
      ownVariables: {},
      splitReasoning: true,
      reasoningExpected: false,
    });
    const { seed, ...sampling } = options.sampling;
    expect(sampling).toEqual({ ...SAMPLING_DEFAULTS, logitBias: new Map() });
    expect(Number.isInteger(seed)).toBe(true);
    expect(chat({}).options.sampling.seed).not.toBe(seed);
  });
  it("values at their limits", () => {
    const { options } = chat({
      temperature: 2.5,
      top_p: 1,
      min_p: 1,
      top_k: 0,
      repeat_last_n: -1,
      repeat_penalty: 10,
      presence_penalty: -3,
      frequency_penalty: 20,
      seed: -(2 ** 53 - 1),
      n: 8,
      max_tokens: 1e9,
      stop: new Array(16).fill("x".repeat(256)),
      logit_bias: { 0: -100, 299: 100 },
      logprobs: true,
      top_logprobs: 20,
      stop_token_ids: [0, 299],
    });
    expect(options.sampling.logitBias).toEqual(
      new Map([
        [0, -100],
        [299, 100],
      ]),
    );
    expect(options.logprobs).toBe(20);
    expect(options.stop?.length).toBe(16);
    expect(options.endIds).toEqual(new Set([257, 0, 299]));
    expect(options.maxTokens).toBe(1e9);
    expect(chat({ logprobs: true }).options.logprobs).toBe(0);
    expect(chat({ max_tokens: 5, max_completion_tokens: 7 }).options.maxTokens).toBe(7);
    expect(chat({ stop: "a" }).options.stop).toEqual(["a"]);
    expect(chat({ reasoning_format: "auto" }).splitReasoning).toBe(true);
    expect(completion({ logprobs: 0, prompt: [1, 2] })).toMatchObject({ prompts: [[1, 2]], options: { logprobs: 0 } });
  });
  it("vLLM's repetition_penalty looks back on all of the text", () => {
    const { sampling } = chat({ repetition_penalty: 1.2, repeat_last_n: 5 }).options;
    expect(sampling).toMatchObject({ repeatPenalty: 1.2, repeatLastN: -1 });
    expect(() => chat({ repetition_penalty: 1.2, repeat_penalty: 1.2 })).toThrow(
      /repetition_penalty: it cannot be used together with repeat_penalty/,
    );
  });
  it("llama.cpp's letters of the steps", () => {
    expect(chat({ samplers: "kmt" }).options.sampling.samplers).toEqual(["top_k", "min_p", "temperature"]);
  });
  it("a seed of 64 bits, as JSON's parser rounds it", () => {
    for (const seed of [2 ** 63, -(2 ** 63), 2 ** 64]) expect(chat({ seed }).options.sampling.seed).toBe(seed);
  });
  it("the type of a function may be left out, as in vLLM", () => {
    const tools = [{ function: { name: "f" } }, { function: { name: "g" } }];
    const named = chat({ tools, tool_choice: { function: { name: "g" } } }).tools;
    expect(named).toMatchObject({ required: true, tools: [{ type: "function", function: { name: "g" } }] });
  });
  it("vLLM's and llama-server's names of the budget for reasoning", () => {
    for (const name of ["thinking_token_budget", "thinking_budget_tokens"])
      expect(chat({ [name]: 3 }).options.reasoningBudget).toBe(3);
    expect(() => chat({ thinking_token_budget: 3, reasoning_budget: 4 })).toThrow(/cannot be used together/);
  });
  it("what asks for custom tools and other formats is refused as not supported", () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const call = { id: "c", type: "custom", custom: { name: "f", input: "" } };
    for (const fields of [
      { response_format: { type: "structural_tag" } },
      { response_format: { type: "grammar" } },
      { tools, tool_choice: { type: "custom" } },
      { messages: [...messages, { role: "assistant", tool_calls: [{ ...call, custom: undefined }] }] },
    ])
      expect(() => chat(fields)).toThrow(/not supported; /);
    for (const fields of [{ prompt_embeds: "a" }, { detokenize: false }, { repetition_detection: { min_count: 2 } }])
      expect(() => completion(fields)).toThrow(/not supported; /);
    expect(completion({ logprobs: false }).options.logprobs).toBe(undefined);
  });
  it("ignore_eos forbids the end tokens", () => {
    const { options } = chat({ ignore_eos: true });
    expect(options.endIds.size).toBe(0);
    expect(options.sampling.logitBias.get(257)).toBe(-Infinity);
  });
  it("text parts join; an assistant message may be empty", () => {
    const content = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    expect(chat({ messages: [{ role: "user", content }] }).messages[0]!.content).toBe("ab");
    const call = { role: "assistant", content: null, tool_calls: [{ id: "1", function: { name: "f" } }] };
    expect(chat({ messages: [call] }).messages[0]).toEqual({
      role: "assistant",
      content: "",
      tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: {} } }],
    });
  });
});
