/**
 * The fields of /v1/responses: wrong values are refused by name; unused fields and Codex's request body are accepted.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../../src/engine/model.ts";
import { createHandler, type Handler } from "../../../../src/server/handler.ts";
import { RESPONSES_FIELDS } from "../../../../src/server/openai/responses/field-tables.ts";
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
} from "../../field-values.ts";
import { loadCrumb, postHandler } from "../../helpers.ts";

let model: Model;
let handler: Handler;
let strict: Handler;
beforeAll(async () => {
  model = await loadCrumb();
  handler = createHandler(model);
  strict = createHandler(model, { strict: true });
});
afterAll(() => model.dispose());

const path = "/v1/responses";
const valid = { input: "a", max_output_tokens: 1 };
const item = (fields: object) => [fields];
/** Fields whose value is returned unchanged and unchecked. */
const ECHOED = ["metadata", "user"];

const WRONG: Record<string, unknown[]> = {
  model: STRING,
  // biome-ignore format: a list
  input: [
    ...ARRAY.filter((value) => typeof value !== "string"), null, [], [1], new Array(1), item({ role: "nobody", content: "" }), item({ role: "user" }),
    item({ role: "user", content: [1] }), item({ role: "user", content: [{ type: "input_image" }] }), item({ type: "item_reference", id: "a" }),
    item({ type: 5 }), item({ type: "function_call" }), item({ type: "function_call_output", call_id: 1 }), item({ type: "web_search_call" }),
    item({ type: "compaction", encrypted_content: "a" }), new Array(1025).fill({ role: "user", content: "" }),
  ],
  instructions: [...STRING.slice(0, 13), [{ role: "user" }]],
  previous_response_id: [...STRING.slice(0, 13), "resp_1"],
  store: BOOLEAN,
  max_output_tokens: POSITIVE.filter((value) => value !== 0),
  ...sampling,
  repetition_penalty: sampling.repeat_penalty!,
  samplers: ["nonsense", 5, ["nonsense"]],
  dry_sequence_breakers: ["a", [""], [1]],
  bad_words: ["a", [""], [1]],
  stop: [5, [1]],
  seed: ["1", 0.5],
  logit_bias: [5, { 1: 101 }],
  stop_token_ids: IDS,
  allowed_token_ids: IDS,
  banned_token_ids: IDS,
  ignore_eos: BOOLEAN,
  timings_per_token: BOOLEAN,
  return_progress: BOOLEAN,
  stream: BOOLEAN,
  stream_options: OBJECT,
  tools: [
    ...ARRAY,
    [1],
    [{}],
    [{ type: 5 }],
    [{ type: "function" }],
    [{ type: "custom" }],
    new Array(129).fill({ type: "a" }),
  ],
  // biome-ignore format: a list
  tool_choice: [
    ...NAME.filter((value) => !Array.isArray(value) && typeof value !== "object"), { type: "web_search" }, { type: "function", name: "nothing" },
    { type: "allowed_tools", tools: 1 }, { type: "allowed_tools", tools: [{ type: "function", name: "nothing" }] }, {},
  ],
  text: [...OBJECT, { format: {} }, { format: { type: "nonsense" } }, { format: 1 }],
  reasoning: [...OBJECT, { effort: "nonsense" }],
  truncation: NAME,
  include: ARRAY,
  top_logprobs: [...INTEGER, -1, 21],
  parallel_tool_calls: BOOLEAN,
  background: BOOLEAN.filter((value) => value !== false).concat(true),
  conversation: ["conv_1", { id: "conv_1" }],
  moderation: [{ model: "omni-moderation-latest" }],
  prompt: [{ id: "pmpt_1" }],
};

describe("wrong values are refused by name", () => {
  it.each(Object.entries(WRONG))("%s", (field, values) =>
    expectRefused({ handler, path, valid, named: openaiName }, field, values),
  );

  it("there is a row for every field that is honoured or refused", () => {
    const { known, unsupported } = RESPONSES_FIELDS;
    expect([...Object.keys(WRONG), ...ECHOED].sort()).toEqual([...known, ...Object.keys(unsupported!)].sort());
  });

  it("an unknown field is ignored and named; a strict server refuses it with the nearest name", async () => {
    const { status, headers } = await postHandler(handler, path, {
      ...valid,
      max_tokens: 5,
      reasoning: { efort: "low" },
    });
    expect([status, headers.get("x-nibble-ignored")]).toEqual([200, "max_tokens, reasoning.efort"]);
    const refused = await postHandler(strict, path, { ...valid, temprature: 5 });
    expect(refused.json().error).toMatchObject({
      param: "temprature",
      message: expect.stringContaining("temperature?"),
    });
  });
});

it("any value of an unused field passes, on a strict server too; what is echoed comes back", async () => {
  for (const field of RESPONSES_FIELDS.unused!)
    for (const value of [null, true, 5, "24h", ["a"], { deep: { a: [] } }]) {
      const { status, text } = await postHandler(strict, path, { ...valid, [field]: value });
      expect([status, field], text).toEqual([200, field]);
    }
  const echoed = { metadata: { a: "b" }, user: "me", truncation: "auto", temperature: 0.5 };
  expect((await postHandler(strict, path, { ...valid, ...echoed })).json()).toMatchObject(echoed);
});

it("fields of sampling are honoured, as in llama-server and vLLM", async () => {
  const body = { input: "How much is 8 * 33?", max_output_tokens: 8, temperature: 0 };
  const text = async (fields: object) =>
    (await postHandler(handler, path, { ...body, ...fields })).json().output[0].content[0].text as string;
  expect(await text({ allowed_token_ids: [25] })).toBe("::::::::");
  const drawn = { temperature: 2, top_p: 1, min_p: 0, top_k: 0 };
  expect(await text({ ...drawn, seed: 7 })).toBe(await text({ ...drawn, seed: 7 }));
  expect(await text({ ...drawn, seed: 7 })).not.toBe(await text({ ...drawn, seed: 8 }));
  expect((await postHandler(strict, path, { ...body, stream_options: { include_obfuscation: true } })).status).toBe(
    200,
  );
});

it("tools that OpenAI runs are left out and named", async () => {
  const hosted = [
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "image_generation",
    "local_shell",
    "mcp",
  ];
  const tools = [
    { type: "function", name: "f", parameters: null, strict: null },
    ...hosted.map((type) => ({ type, any: {} })),
  ];
  const { status, headers, json } = await postHandler(strict, path, { ...valid, tools, tool_choice: "auto" });
  expect([status, json().tools.length]).toEqual([200, tools.length]);
  expect(headers.get("x-nibble-ignored")).toBe(hosted.map((_, i) => `tools[${i + 1}]`).join(", "));
});

/** The fields and items that Codex's request has, as its source and the SDK's types list them. */
const CODEX = {
  model: "gpt-5-codex",
  instructions: "You are a coding agent.",
  input: [
    {
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "<permissions>Ask first.</permissions>" }],
    },
    { type: "message", role: "user", content: [{ type: "input_text", text: "List the files." }] },
    { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: "gAAAA" },
    {
      type: "message",
      role: "assistant",
      id: "msg_1",
      content: [{ type: "output_text", text: "I do." }],
      phase: "commentary",
    },
    {
      type: "function_call",
      id: "fc_1",
      call_id: "c1",
      name: "shell",
      arguments: '{"command":["ls"]}',
      status: "completed",
    },
    { type: "function_call_output", call_id: "c1", output: '{"output":"a.txt","metadata":{"exit_code":0}}' },
    {
      type: "custom_tool_call",
      id: "ctc_1",
      call_id: "c2",
      name: "apply_patch",
      input: "*** Begin Patch",
      status: "completed",
    },
    { type: "custom_tool_call_output", call_id: "c2", output: [{ type: "input_text", text: "done" }] },
    { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
    { type: "local_shell_call", call_id: "c3", status: "completed", action: { type: "exec", command: ["ls"] } },
    { type: "ghost_snapshot", ghost_commit: { id: "a" } },
    { role: "user", content: "And now?" },
  ],
  tools: [
    {
      type: "function",
      name: "shell",
      description: "Runs a command.",
      strict: false,
      parameters: {
        type: "object",
        properties: {
          command: { type: "array", items: { type: "string" }, description: "The command" },
          timeout_ms: { type: "number" },
        },
        required: ["command"],
        additionalProperties: false,
      },
    },
    {
      type: "custom",
      name: "apply_patch",
      description: "Edits files.",
      format: { type: "grammar", syntax: "lark", definition: 'start: "*** Begin Patch"' },
    },
    { type: "web_search", external_web_access: true },
    { type: "local_shell" },
  ],
  tool_choice: "auto",
  parallel_tool_calls: true,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0198-session",
  service_tier: "priority",
  text: { verbosity: "low", format: { type: "text" } },
  client_metadata: { "x-codex-installation-id": "a" },
  max_output_tokens: 8,
};

it("Codex's body with every field: streamed, whole and counted", async () => {
  const streamed = await postHandler(strict, path, CODEX, { accept: "text/event-stream", originator: "codex_cli_rs" });
  expect(streamed.status, streamed.text).toBe(200);
  expect(streamed.text).toMatch(/event: response\.(completed|incomplete)\n/);
  const whole = await postHandler(strict, path, { ...CODEX, stream: false });
  expect([whole.status, whole.json().object]).toEqual([200, "response"]);
  const counted = await postHandler(strict, `${path}/input_tokens`, CODEX);
  expect(counted.json()).toEqual({ object: "response.input_tokens", input_tokens: expect.any(Number) });
});
