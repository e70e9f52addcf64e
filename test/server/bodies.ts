/** Bodies that are nearly right: what a fuzzer sends. */
import { messages, QUESTION } from "./helpers.ts";

/** Numbers from 0 to below 1 (mulberry32): the same bodies every time. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Fields = Record<string, unknown>;

const SAMPLING: Fields = {
  temperature: 0.7,
  top_p: 0.9,
  top_k: 20,
  min_p: 0.05,
  typical_p: 0.9,
  xtc_probability: 0.5,
  mirostat: 2,
  dry_multiplier: 0.8,
  repeat_penalty: 1.1,
  presence_penalty: 0.5,
  frequency_penalty: 0.5,
  repeat_last_n: 16,
  min_tokens: 2,
  bad_words: ["x"],
  samplers: ["top_k", "temperature"],
  logit_bias: { 5: 2, 7: -100 },
  allowed_token_ids: [1, 2, 3, 4, 5],
  banned_token_ids: [9],
  stop: ["4", "\n"],
  stop_token_ids: [3],
  ignore_eos: true,
  seed: 7,
  n: 1,
  user: "me",
};
const TOOL = { type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } };
const SCHEMA = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };

/** A valid body of each route with most of its fields. */
const ROUTES: readonly (readonly [path: string, body: Fields])[] = [
  [
    "/v1/chat/completions",
    {
      ...SAMPLING,
      messages: [{ role: "system", content: "s" }, ...messages, { role: "assistant", content: "a" }, ...messages],
      logprobs: true,
      top_logprobs: 2,
      tools: [TOOL],
      tool_choice: "auto",
      reasoning_format: "deepseek",
      response_format: { type: "json_schema", json_schema: { name: "a", schema: SCHEMA } },
      chat_template_kwargs: { a: 1 },
      stream: true,
      stream_options: { include_usage: true },
    },
  ],
  ["/v1/completions", { ...SAMPLING, prompt: QUESTION, logprobs: 1, guided_regex: "[0-9]+", grammar: 'root ::= "a"' }],
  [
    "/v1/responses",
    {
      input: [
        { role: "user", content: [{ type: "input_text", text: QUESTION }] },
        { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "1", output: "2" },
      ],
      instructions: "i",
      temperature: 0.5,
      text: { format: { type: "json_schema", name: "a", schema: SCHEMA } },
      tools: [
        { type: "function", name: "f", parameters: SCHEMA },
        { type: "custom", name: "g" },
        { type: "web_search" },
      ],
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
      include: ["reasoning.encrypted_content"],
      truncation: "auto",
      previous_response_id: null,
      stream: true,
    },
  ],
  [
    "/v1/messages",
    {
      system: [{ type: "text", text: "s" }],
      messages: [
        { role: "user", content: [{ type: "text", text: QUESTION }] },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: { a: 1 } }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "2" }] },
      ],
      temperature: 0.5,
      top_k: 5,
      stop_sequences: ["4"],
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [
        { name: "f", input_schema: SCHEMA },
        { type: "bash_20250124", name: "bash" },
      ],
      context_management: { edits: [] },
      output_config: { effort: "low", format: { type: "json_schema", schema: SCHEMA } },
      stream: true,
    },
  ],
  [
    "/completion",
    {
      ...SAMPLING,
      prompt: [QUESTION, [1, 2], { prompt_string: "a" }],
      n_cmpl: 1,
      n_probs: 2,
      post_sampling_probs: true,
      return_tokens: true,
      n_indent: 1,
      t_max_predict_ms: 50,
      response_fields: ["content", "timings/predicted_n"],
      json_schema: SCHEMA,
      stream: true,
    },
  ],
  [
    "/api/chat",
    {
      model: "crumb",
      messages: [
        { role: "user", content: QUESTION },
        {
          role: "assistant",
          content: "",
          thinking: "t",
          tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }],
        },
        { role: "tool", tool_name: "f", content: "2" },
      ],
      tools: [TOOL],
      format: SCHEMA,
      think: "low",
      keep_alive: "5m",
      options: { temperature: 0.5, num_predict: 4, num_ctx: 512, stop: ["4"], top_k: 5, seed: 1 },
      logprobs: true,
      stream: false,
    },
  ],
  [
    "/api/generate",
    {
      model: "crumb",
      prompt: QUESTION,
      system: "s",
      raw: true,
      format: "json",
      options: { num_predict: 4 },
      suffix: "",
    },
  ],
  ["/api/embed", { model: "crumb", input: [QUESTION, "a"], dimensions: 8, truncate: false, keep_alive: 1 }],
  ["/api/show", { model: "crumb", verbose: true }],
  ["/embedding", { content: [QUESTION, [1, 2]], embd_normalize: -1 }],
  ["/v1/responses/input_tokens", { input: QUESTION, instructions: "i", truncation: "auto" }],
  ["/v1/chat/completions/input_tokens", { messages: [...messages], tools: [TOOL] }],
  ["/lora-adapters", { lora: [] }],
  ["/v1/embeddings", { input: [QUESTION, [1, 2]], pooling: "last", normalize: false, encoding_format: "base64" }],
  ["/v1/messages/count_tokens", { messages: [...messages], system: "s" }],
  ["/tokenize", { content: "<think> héllo \u{1F600}", add_special: true, with_pieces: true }],
  ["/detokenize", { tokens: [1, 2, 3, 500] }],
  ["/apply-template", { messages: [...messages], add_generation_prompt: false }],
];

// biome-ignore format: a list
const VALUES: readonly unknown[] = [
  null, true, false, 0, -0, 1, -1, 0.5, 2, 64, 2 ** 31, 2 ** 53, 1e300, -1e300, 5e-324, "", "a", "\u0000", "\ud7ff", "😀".repeat(50),
  "__proto__", "constructor", "x".repeat(3000), [], [[]], [null], {}, { length: 1e9 }, { type: "text" }, [1, "a", {}], { a: { b: { c: [] } } },
  "{{ messages }}", "<think>", "<|im_end|>", { toString: 1 }, [1e9], ["", ""],
];

const LENGTHS: ReadonlyMap<string, string> = new Map([
  ["/v1/chat/completions", "max_tokens"],
  ["/v1/completions", "max_tokens"],
  ["/v1/responses", "max_output_tokens"],
  ["/v1/messages", "max_tokens"],
  ["/completion", "n_predict"],
]);
const REQUIRED = ["model", "messages", "prompt", "input", "content", "tokens", "stream", "logprobs", "options"];

interface Fuzzed {
  readonly path: string;
  readonly body: string;
}

/** Some fields left out, some replaced somewhere inside, some bytes changed. Answers stay short. */
export function fuzzedBody(random: () => number): Fuzzed {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const [path, valid] = pick(ROUTES);
  const body = structuredClone(valid);
  for (const key of Object.keys(body)) if (random() < (REQUIRED.includes(key) ? 0.03 : 0.7)) delete body[key];
  const mutations = Math.floor(random() * 3);
  for (let i = 0; i < mutations; i++) mutate(body, pick, random);
  const length = LENGTHS.get(path);
  if (length) body[length] = 1 + Math.floor(random() * 6);
  let text = JSON.stringify(body);
  if (random() < 0.1) text = damage(text, pick, random);
  return { path, body: text };
}

/** Follows a random path into `root` and replaces the value at its end. */
function mutate(root: Fields, pick: <T>(list: readonly T[]) => T, random: () => number): void {
  let target: Fields | unknown[] = root;
  for (;;) {
    const keys = Object.keys(target);
    const key =
      random() < 0.1 || keys.length === 0 ? String(pick(["nonsense", "type", "role", "__proto__", "0"])) : pick(keys);
    const value: unknown = Object.hasOwn(target, key) ? (target as Fields)[key] : undefined;
    if (typeof value === "object" && value !== null && random() < 0.6) {
      target = value as Fields;
      continue;
    }
    const next = structuredClone(pick(VALUES));
    Object.defineProperty(target, key, { value: next, enumerable: true, writable: true, configurable: true });
    return;
  }
}

function damage(text: string, pick: <T>(list: readonly T[]) => T, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const piece = pick(["", '"', "{", "}", "[[[[", ",", "\\u", "\\ud800", "1e999", "\u0001", "null", "﻿", ":"]);
  return text.slice(0, at) + piece + text.slice(at + Math.floor(random() * 4));
}
