/**
 * The fields of requests, each with values that must be refused.
 * @module
 */
import { messages } from "./checks.ts";

const NOT_A_NUMBER = ["1", "", true, [], [1], {}, Number.NaN, Infinity, -Infinity, () => 1, 1n, Symbol("x")];
const NOT_AN_INTEGER = [...NOT_A_NUMBER, 0.5, 2 ** 53];
const NOT_A_BOOLEAN = [0, 1, "true", [], {}, Number.NaN];
const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i % 300, 1]));

/** Each field with values that must be refused. */
export const BAD: Record<string, unknown[]> = {
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
export const BAD_CHAT: Record<string, unknown[]> = {
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
export const BAD_COMPLETION: Record<string, unknown[]> = {
  logprobs: [...NOT_AN_INTEGER, -1, 21],
  echo: NOT_A_BOOLEAN,
  prompt: [null, undefined, 1, true, {}, [], [300], [-1], [1.5], [Number.NaN]],
};
