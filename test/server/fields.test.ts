/** Every field of the engine's requests refuses wrong values, and the error names the field. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FieldTable } from "../../src/base/field-table.ts";
import type { Model } from "../../src/engine/model.ts";
import { CHAT_FIELDS, COMPLETION_FIELDS, EMBEDDING_FIELDS } from "../../src/engine/request/field-tables.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import {
  ARRAY,
  BOOLEAN,
  expectRefused,
  type FieldCheck,
  IDS,
  INTEGER,
  NAME,
  NUMBER,
  OBJECT,
  openaiName,
  POSITIVE,
  STRING,
  sampling,
} from "./field-values.ts";
import { loadCrumb, messages, postHandler } from "./helpers.ts";

let model: Model;
let handler: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model, { strict: true });
});
afterAll(() => model.dispose());

const texts = [...ARRAY, [""], [1], [["a"]], [null], ["x".repeat(1000)], new Array(1000).fill("a")];

const SCHEMA = [
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
];

const COMMON: Record<string, unknown[]> = {
  ...sampling,
  repetition_penalty: sampling.repeat_penalty!,
  samplers: [...ARRAY, ["nonsense"], [1], ["top_k", "top_k"]],
  dry_sequence_breakers: texts,
  bad_words: texts,
  model: STRING,
  seed: [...NUMBER, 0.5, 1e300],
  n: POSITIVE,
  max_tokens: [...INTEGER, -2],
  n_predict: [...INTEGER, -2],
  n_probs: [...INTEGER, -1],
  post_sampling_probs: BOOLEAN,
  timings_per_token: BOOLEAN,
  return_progress: BOOLEAN,
  stream: BOOLEAN,
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
  "speculative.n_min": [...INTEGER, -1],
  "speculative.p_min": [...NUMBER, -0.1, 1.1],
  response_format: [...OBJECT, {}, { type: "nonsense" }, { type: 1 }, { type: "text", nonsense: 1 }],
  signal: [...OBJECT, {}],
  lora: [...ARRAY, [1], [{}], [{ id: 0 }], [{ name: "nonsense" }]],
  prompt_logprobs: [...INTEGER, -1, 21],
  include_stop_str_in_output: BOOLEAN,
  skip_special_tokens: BOOLEAN,
  cache_salt: STRING,
  return_token_ids: BOOLEAN,
  return_tokens_as_token_ids: BOOLEAN,
  context_shift: BOOLEAN,
  n_keep: [...INTEGER, -2],
  reasoning_budget: [...INTEGER, -2],
  thinking_token_budget: [...INTEGER, -2],
  thinking_budget_tokens: [...INTEGER, -2],
  grammar: [...STRING.slice(0, 13), "root ::= nonsense"],
  json_schema: SCHEMA,
  guided_json: SCHEMA,
  guided_regex: [...STRING.slice(0, 13), "("],
  guided_grammar: [...STRING.slice(0, 13), "root ::= nonsense"],
  guided_choice: [...ARRAY, [], [1], [null], [["a"]]],
  structured_outputs: [...OBJECT, { nonsense: 1 }, { regex: "(" }, { choice: [] }],
};

const CHAT: Record<string, unknown[]> = {
  ...COMMON,
  documents: [...ARRAY, new Array(1025).fill({})],
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
  functions: [...ARRAY, [1], [{}], [{ name: "" }], new Array(2000).fill({})],
  function_call: [...NAME, {}, { name: "nonsense" }],
  parallel_tool_calls: BOOLEAN,
};

const COMPLETION: Record<string, unknown[]> = {
  ...COMMON,
  logprobs: [...INTEGER.filter((value) => value !== false), -1, 21],
  best_of: [...POSITIVE, 3],
  add_special_tokens: BOOLEAN,
  echo: BOOLEAN,
  suffix: NAME, // crumb cannot fill gaps
  // biome-ignore format: a list
  prompt: [null, 0, 1, -1, 0.5, true, false, {}, { a: 1 }, [["a"], 1], [-1], [1.5], [1e9], [null], [[-1]], new Array(100_000).fill(1)],
};

const EMBEDDINGS: Record<string, unknown[]> = {
  // biome-ignore format: a list
  input: [null, 0, 1, 0.5, true, false, {}, { a: 1 }, [], [""], [1.5], [-1], [1e9], [null], [[]], [["a"]], new Array(2049).fill("a")],
  model: STRING,
  encoding_format: NAME,
  dimensions: POSITIVE,
  prompt_name: STRING,
  cache_salt: STRING,
  prompt: [...STRING.slice(0, 13), "x".repeat(2 ** 16 + 1)],
  truncate: BOOLEAN,
  pooling: NAME,
  signal: [...OBJECT, {}],
  lora: [...ARRAY, [1], [{}], [{ id: 0 }], [{ name: "nonsense" }]],
  normalize: BOOLEAN,
};

const ROUTES: [path: string, valid: object, rows: Record<string, unknown[]>, table: FieldTable][] = [
  ["/v1/chat/completions", { messages, max_tokens: 1 }, CHAT, CHAT_FIELDS],
  ["/v1/completions", { prompt: "a", max_tokens: 1 }, COMPLETION, COMPLETION_FIELDS],
  ["/v1/embeddings", { input: "a" }, EMBEDDINGS, EMBEDDING_FIELDS],
];

describe.each(ROUTES)("%s", (path, valid, rows, table) => {
  const check = (): FieldCheck => ({ handler, path, valid, named: openaiName });

  it.each(Object.entries(rows))("%s", async (field, values) => {
    expect(values.length).toBeGreaterThanOrEqual(14);
    await expectRefused(check(), field, values);
  });

  it("there is a row for every field that is honoured", () => {
    const streams = ["stream_options"];
    expect(table.known.filter((name) => !(name in rows) && !streams.includes(name))).toEqual([]);
  });

  it("any value of an unused field passes", async () => {
    for (const field of table.unused!)
      for (const value of [null, true, -5, "text", ["a"], { deep: { a: [] } }]) {
        const { status, text } = await postHandler(handler, path, { ...valid, [field]: value });
        expect([status, field], text).toEqual([200, field]);
      }
  });

  it("unsupported fields are refused by name, and the error says what to do instead", async () => {
    for (const [field, { instead }] of Object.entries(table.unsupported!)) {
      const { status, json } = await postHandler(handler, path, { ...valid, [field]: [{ some: "thing" }] });
      expect([status, json().error.param, json().error.message]).toEqual([
        400,
        field,
        expect.stringContaining(instead),
      ]);
    }
  });

  it("unknown fields are refused by a strict server, else ignored and named", async () => {
    await expectRefused(check(), "nonsense", [1, "a", {}]);
    const lenient = createHandler(model);
    const { status, headers } = await postHandler(lenient, path, { ...valid, nonsense: 1 });
    expect([status, headers.get("x-nibble-ignored")]).toEqual([200, "nonsense"]);
  });
});

it("stream_options are checked in a stream, and ignored without one", async () => {
  for (const [path, valid] of ROUTES.slice(0, 2)) {
    const streaming = { handler, path, valid: { ...valid, stream: true }, named: openaiName };
    await expectRefused(streaming, "stream_options", [...OBJECT, { include_usage: 1 }, { nonsense: true }]);
    const whole = await postHandler(handler, path, { ...valid, stream_options: { include_usage: true } });
    expect(whole.status).toBe(200);
  }
});

it("a misspelt field gets a hint", async () => {
  const known = [...new Set([...CHAT_FIELDS.known, ...COMPLETION_FIELDS.known])].filter((name) => name.length > 5);
  for (const name of known) {
    const path = CHAT_FIELDS.known.includes(name) ? "/v1/chat/completions" : "/v1/completions";
    const [, valid] = ROUTES.find(([one]) => one === path)!;
    const middle = name.length >> 1;
    const typo = name.slice(0, middle) + name.slice(middle + 1);
    if (CHAT_FIELDS.known.includes(typo) || CHAT_FIELDS.unused!.includes(typo)) continue;
    const { json } = await postHandler(handler, path, { ...valid, [typo]: 1 });
    expect(json().error.message, typo).toMatch(/^[^:]+: unknown field; did you mean \S+\?$/);
  }
});
