import { describe, expect, it } from "vitest";
import { checkChatRequest } from "../../../src/engine/request/chat.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { chat, completion, context, messages } from "./checks.ts";
import { BAD, BAD_CHAT } from "./wrong-values.ts";

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
