/** Every field of every request refuses what it cannot be, by name. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Range } from "../../src/base/fields.ts";
import type { Model } from "../../src/engine/model.ts";
import { SAMPLING_RANGES } from "../../src/engine/sample/options.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import { loadCrumb, messages } from "./helpers.ts";

let model: Model;
let handler: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model);
});
afterAll(() => model.dispose());

const NUMBER = ["1", "", "0.5", "NaN", true, false, [], [1], [[]], [null], {}, { a: 1 }];
const INTEGER = [...NUMBER, 0.5, 1e300];
const BOOLEAN = [0, 1, -1, 0.5, 1e9, "true", "false", "", "yes", [], [true], [null], {}, { a: 1 }];
const STRING = [0, 1, -1, 0.5, 1e9, true, false, [], ["a"], [[]], [null], {}, { a: "b" }, "x".repeat(5000)];
const OBJECT = [0, 1, -1, 0.5, 1e9, true, false, "", "a", "{}", [], [1], ["a"], [{}]];
const ARRAY = [0, 1, -1, 0.5, 1e9, true, false, "a", "[]", {}, { a: 1 }, { length: 1 }, { 0: 1 }, { 0: "a" }];
const NAME = [...STRING.slice(0, 13), "nonsense"];
const IDS = [...ARRAY, [-1], [1.5], ["1"], [null], [1e9], [[1]], new Array(100_000).fill(1)];
const POSITIVE = [...INTEGER, 0, -1];

/** Beyond both ends of a range. */
function outside({ min, max, above, integer }: Range): unknown[] {
  const ends = [min !== undefined && min - 1, above, max !== undefined && max + 1, -1e9, integer && 1.5];
  return ends.filter((end) => typeof end === "number" && !(end === -1e9 && min === undefined && above === undefined));
}
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const sampling = Object.fromEntries(
  Object.entries(SAMPLING_RANGES).map(([name, range]) => [snake(name), [...NUMBER, ...outside(range)]]),
);
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
  user: STRING,
  seed: INTEGER,
  n: POSITIVE,
  max_tokens: POSITIVE,
  stream: BOOLEAN,
  stream_options: [...OBJECT, { include_usage: 1 }, { nonsense: true }],
  stop: [
    0,
    1,
    0.5,
    true,
    false,
    {},
    "",
    [""],
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
    ...OBJECT, { a: 1 }, { "": 1 }, { "-1": 1 }, { "1.5": 1 }, { "1e1": 1 }, { 1e9: 1 }, { 1: 101 }, { 1: "1" }, { 1: null },
    { 1: [] }, { constructor: 1 },
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
  max_completion_tokens: POSITIVE,
  logprobs: BOOLEAN,
  top_logprobs: [...INTEGER, -1, 21],
  reasoning_format: NAME,
  reasoning: [...OBJECT, { nonsense: 1 }, { effort: "nonsense" }],
  reasoning_effort: NAME,
  chat_template_kwargs: [...OBJECT, { a: [] }, { a: {} }, { nonsense: 1 }],
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
  prompt: [null, 0, 1, -1, 0.5, true, false, {}, { a: 1 }, ["a"], [-1], [1.5], [1e9], [null], [[1]], new Array(100_000).fill(1)],
};

const text = { role: "user", content: "a" };
const blocks = (content: unknown, role = "user") => [{ role, content }];
const MESSAGES: Record<string, unknown[]> = {
  model: STRING,
  max_tokens: [...POSITIVE, null],
  // biome-ignore format: a list
  messages: [
    ...ARRAY, null, [], [1], [null], [{}], [{ role: "tool", content: "" }], new Array(1025).fill(text), blocks(1), blocks([1]),
    blocks([{ type: "image" }]), blocks([{ type: "text" }]), blocks([{ type: "tool_use" }]), blocks([{ type: "tool_result" }]),
    blocks([{ type: "tool_use", id: "a", name: "b", input: [] }], "assistant"), blocks([{ type: "thinking", thinking: 1 }], "assistant"),
    blocks([{ type: "text", text: "a", cache_control: { type: "nonsense" } }]),
  ],
  system: [
    0,
    1,
    0.5,
    true,
    false,
    {},
    { type: "text" },
    [1],
    ["a"],
    [null],
    [{}],
    [{ type: "text" }],
    [{ type: "image" }],
    [[]],
  ],
  tools: [...ARRAY, [1], [{ name: "a", nonsense: 1 }], [{ type: "nonsense" }], new Array(129).fill({})],
  tool_choice: [...OBJECT, {}, { type: "nonsense" }, { type: "auto", nonsense: 1 }],
  thinking: [...OBJECT, {}, { type: "nonsense" }, { type: "enabled", budget_tokens: 0 }],
  output_config: [...OBJECT, { nonsense: 1 }, { effort: "nonsense" }, { format: 1 }, { format: { type: "text" } }],
  cache_control: [...OBJECT, { type: "nonsense" }, { ttl: "2h" }],
  stop_sequences: [...ARRAY, [""], [1], ["x".repeat(257)], new Array(17).fill("a")],
  stream: BOOLEAN,
  temperature: sampling.temperature!,
  top_p: sampling.top_p!,
  top_k: sampling.top_k!,
  metadata: [...OBJECT, { nonsense: 1 }, { user_id: 1 }],
  service_tier: NAME,
};

const item = (fields: object) => [fields];
const RESPONSES: Record<string, unknown[]> = {
  ...UNUSED,
  model: STRING,
  // biome-ignore format: a list
  input: [
    ...ARRAY.filter((value) => typeof value !== "string"), null, [], [1], item({}), item({ role: "nobody", content: "" }),
    item({ role: "user" }), item({ role: "user", content: [1] }), item({ role: "user", content: [{ type: "input_image" }] }),
    item({ type: "nonsense" }), item({ type: "function_call" }), item({ type: "function_call_output", call_id: 1 }),
    new Array(1025).fill({ role: "user", content: "" }),
  ],
  instructions: [...STRING.slice(0, 13), [{ role: "user" }]],
  max_output_tokens: POSITIVE,
  temperature: sampling.temperature!,
  top_p: sampling.top_p!,
  stream: BOOLEAN,
  stream_options: [...OBJECT, {}, { include_obfuscation: true }],
  tools: [...ARRAY, [1], [{}], [{ type: "web_search" }], [{ type: "function", nonsense: 1 }], new Array(129).fill({})],
  tool_choice: [...NAME.filter((value) => !Array.isArray(value)), [], [1], ["auto"], { type: "web_search" }],
  text: [...OBJECT, { nonsense: 1 }, { verbosity: "nonsense" }, { format: {} }, { format: { type: "nonsense" } }],
  reasoning: [...OBJECT, { effort: "nonsense" }, { summary: 1 }],
  truncation: [...NAME, "auto"],
  include: [...ARRAY, [1], ["nonsense"]],
  top_logprobs: [...INTEGER, -1, 21],
  parallel_tool_calls: BOOLEAN,
  background: [...BOOLEAN, true],
  user: STRING,
};

const EMBEDDINGS: Record<string, unknown[]> = {
  // biome-ignore format: a list
  input: [null, 0, 1, 0.5, true, false, {}, { a: 1 }, [], [""], [1.5], [-1], [1e9], [null], [[]], [["a"]], new Array(2049).fill("a")],
  model: STRING,
  user: STRING,
  encoding_format: NAME,
  dimensions: [...POSITIVE, 3],
  pooling: NAME,
  signal: [...OBJECT, {}],
  lora: [...ARRAY, [1], [{}], [{ id: 0 }], [{ name: "nonsense" }]],
  normalize: BOOLEAN,
};

const post = async (path: string, body: object) => {
  const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await handler(new Request(`http://localhost${path}`, init));
  return { status: response.status, body: await response.json() };
};

type Table = Record<string, unknown[]>;
const ROUTES: [path: string, valid: object, table: Table, named: (body: never) => string][] = [
  ["/v1/chat/completions", { messages }, CHAT, (body: { error: { param: string } }) => body.error.param],
  ["/v1/completions", { prompt: "a" }, COMPLETION, (body: { error: { param: string } }) => body.error.param],
  ["/v1/responses", { input: "a" }, RESPONSES, (body: { error: { param: string } }) => body.error.param],
  ["/v1/embeddings", { input: "a" }, EMBEDDINGS, (body: { error: { param: string } }) => body.error.param],
  // Anthropic's errors have no field for it: the message begins with it.
  [
    "/v1/messages",
    { messages, max_tokens: 1 },
    MESSAGES,
    (body: { error: { message: string } }) => body.error.message.split(":")[0]!,
  ],
];

describe.each(ROUTES)("%s", (path, valid, table, named) => {
  it.each(Object.entries(table))("%s", async (field, values) => {
    expect(values.length).toBeGreaterThanOrEqual(14);
    for (const value of values) {
      const { status, body } = await post(path, { ...valid, [field]: value });
      const what = `${field}: ${JSON.stringify(value)?.slice(0, 80)} -> ${JSON.stringify(body).slice(0, 200)}`;
      expect(status, what).toBe(400);
      const name = named(body as never);
      expect(name === field || name.startsWith(`${field}.`) || name.startsWith(`${field}[`), what).toBe(true);
    }
  });

  it("takes no other fields", async () => {
    const { status, body } = await post(path, { ...valid, nonsense: 1 });
    expect([status, named(body as never)]).toEqual([400, "nonsense"]);
  });
});
