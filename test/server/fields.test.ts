/** Every field of the engine's requests refuses what it cannot be, by name. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import {
  ARRAY,
  BOOLEAN,
  expectRefused,
  IDS,
  INTEGER,
  NAME,
  OBJECT,
  openaiName,
  POSITIVE,
  STRING,
  sampling,
} from "./field-values.ts";
import { loadCrumb, messages } from "./helpers.ts";

let model: Model;
let handler: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model, { strict: true });
});
afterAll(() => model.dispose());

const texts = [...ARRAY, [""], [1], [["a"]], [null], ["x".repeat(1000)], new Array(1000).fill("a")];

const UNUSED: Record<string, unknown[]> = {
  store: BOOLEAN,
  metadata: [...OBJECT, { a: 1 }, { a: [] }, Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ""]))],
  service_tier: STRING,
  safety_identifier: STRING,
  prompt_cache_key: STRING,
  cache_prompt: BOOLEAN,
  id_slot: [...INTEGER, -2],
};

const COMMON: Record<string, unknown[]> = {
  ...sampling,
  repetition_penalty: sampling.repeat_penalty!,
  samplers: [...ARRAY, ["nonsense"], [1], ["top_k", "top_k"]],
  dry_sequence_breakers: texts,
  bad_words: texts,
  model: STRING,
  seed: INTEGER,
  n: POSITIVE,
  max_tokens: [...INTEGER, -2],
  n_predict: [...INTEGER, -2],
  n_probs: [...INTEGER, -1],
  post_sampling_probs: BOOLEAN,
  stream: BOOLEAN,
  stream_options: [...OBJECT, { include_usage: 1 }, { nonsense: true }],
  stop: [
    0,
    1,
    0.5,
    true,
    false,
    {},
    { a: 1 },
    { length: 1 },
    [1],
    [null],
    [["a"]],
    "x".repeat(257),
    ["x".repeat(257)],
    new Array(17).fill("a"),
  ],
  stop_token_ids: IDS,
  allowed_token_ids: IDS,
  banned_token_ids: IDS,
  // biome-ignore format: a list
  logit_bias: [
    ...OBJECT.filter((value) => !Array.isArray(value)), [1], ["a"], [{}], [[1]], { "": 1 }, { 999999999: 1 }, { 1: 101 },
    { 1: "1" }, { 1: null }, { 1: [] }, { 1: true },
  ],
  ignore_eos: BOOLEAN,
  "speculative.n_max": [...INTEGER, -1],
  response_format: [...OBJECT, {}, { type: "nonsense" }, { type: 1 }, { type: "text", nonsense: 1 }],
  signal: [...OBJECT, {}],
  lora: [...ARRAY, [1], [{}], [{ id: 0 }], [{ name: "nonsense" }]],
  prompt_logprobs: [...INTEGER, -1, 21],
  context_shift: BOOLEAN,
  n_keep: [...INTEGER, -2],
  reasoning_budget: [...INTEGER, -2],
  grammar: [...STRING.slice(0, 13), "root ::= nonsense"],
  json_schema: [
    0,
    1,
    -1,
    0.5,
    1e9,
    "",
    "a",
    [],
    [1],
    ["a"],
    [{}],
    { type: "nonsense" },
    { type: 1 },
    { $ref: "#/nowhere" },
  ],
  guided_json: [
    0,
    1,
    -1,
    0.5,
    1e9,
    "",
    "a",
    [],
    [1],
    ["a"],
    [{}],
    { type: "nonsense" },
    { type: 1 },
    { $ref: "#/nowhere" },
  ],
  guided_regex: [...STRING.slice(0, 13), "("],
  guided_grammar: [...STRING.slice(0, 13), "root ::= nonsense"],
  guided_choice: [...ARRAY, [], [1], [null], [["a"]]],
  structured_outputs: [...OBJECT, { nonsense: 1 }, { regex: "(" }, { choice: [] }],
};

const CHAT: Record<string, unknown[]> = {
  ...COMMON,
  ...UNUSED,
  // biome-ignore format: a list
  messages: [
    ...ARRAY, null, [], [1], ["a"], [null], [{}], [{ role: "user" }], [{ role: "nobody", content: "" }],
    [{ role: "user", content: 1 }], [{ role: "user", content: [{ type: "image_url" }] }], new Array(1025).fill(messages[0]),
  ],
  max_completion_tokens: [...INTEGER, -2],
  logprobs: BOOLEAN,
  top_logprobs: [...INTEGER, -1, 21],
  reasoning_format: NAME,
  reasoning: [...OBJECT, { nonsense: 1 }, { effort: "nonsense" }],
  reasoning_effort: NAME,
  chat_template_kwargs: [...OBJECT, { nonsense: 1 }],
  continue_final_message: [...BOOLEAN, true],
  add_generation_prompt: BOOLEAN,
  enable_thinking: BOOLEAN,
  thinking: [...OBJECT, { nonsense: 1 }],
  tools: [...ARRAY, [1], [{}], [{ type: "nonsense" }], new Array(2000).fill({})],
  tool_choice: [...NAME, { type: "nonsense" }],
  parallel_tool_calls: BOOLEAN,
};

const COMPLETION: Record<string, unknown[]> = {
  ...COMMON,
  ...UNUSED,
  logprobs: [...INTEGER, -1, 21],
  echo: BOOLEAN,
  // biome-ignore format: a list
  prompt: [null, 0, 1, -1, 0.5, true, false, {}, { a: 1 }, [["a"], 1], [-1], [1.5], [1e9], [null], [[-1]], new Array(100_000).fill(1)],
};

const EMBEDDINGS: Record<string, unknown[]> = {
  // biome-ignore format: a list
  input: [null, 0, 1, 0.5, true, false, {}, { a: 1 }, [], [""], [1.5], [-1], [1e9], [null], [[]], [["a"]], new Array(2049).fill("a")],
  model: STRING,
  encoding_format: NAME,
  dimensions: [...POSITIVE, 3],
  pooling: NAME,
  signal: [...OBJECT, {}],
  lora: [...ARRAY, [1], [{}], [{ id: 0 }], [{ name: "nonsense" }]],
  normalize: BOOLEAN,
};

const ROUTES: [path: string, valid: object, table: Record<string, unknown[]>][] = [
  ["/v1/chat/completions", { messages }, CHAT],
  ["/v1/completions", { prompt: "a" }, COMPLETION],
  ["/v1/embeddings", { input: "a" }, EMBEDDINGS],
];

describe.each(ROUTES)("%s", (path, valid, table) => {
  it.each(Object.entries(table))("%s", async (field, values) => {
    expect(values.length).toBeGreaterThanOrEqual(14);
    await expectRefused({ handler, path, valid, named: openaiName }, field, values);
  });

  it("takes no other fields", () => expectRefused({ handler, path, valid, named: openaiName }, "nonsense", [1]));
});
