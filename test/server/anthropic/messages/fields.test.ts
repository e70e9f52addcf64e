/**
 * The fields of /v1/messages: wrong values are refused by name; unused fields and Claude Code's request body are
 * accepted.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../../src/engine/model.ts";
import { MESSAGES_FIELDS } from "../../../../src/server/anthropic/messages/field-tables.ts";
import { createHandler, type Handler } from "../../../../src/server/handler.ts";
import {
  ARRAY,
  anthropicName,
  BOOLEAN,
  expectRefused,
  OBJECT,
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

const path = "/v1/messages";
const valid = { messages: [{ role: "user", content: "a" }], max_tokens: 1 };
const blocks = (content: unknown, role = "user") => [{ role, content }];
const POSITIVE_OR_0 = POSITIVE.filter((value) => value !== 0);

const WRONG: Record<string, unknown[]> = {
  model: STRING,
  max_tokens: [...POSITIVE_OR_0, null],
  // biome-ignore format: a list
  messages: [
    ...ARRAY, null, [], [1], [null], [{}], [{ role: "tool", content: "" }], new Array(1025).fill(valid.messages[0]), blocks(1), blocks([1]),
    blocks([{ type: "image" }]), blocks([{ type: "text" }]), blocks([{ type: "tool_use" }], "assistant"), blocks([{ type: "tool_result" }]),
    blocks([{ type: "tool_use", id: "a", name: "b", input: [] }], "assistant"), blocks([{ type: "thinking", thinking: 1 }], "assistant"),
    blocks([{ type: "document", source: { type: "base64", data: "AA" } }]), blocks([{}]), blocks(new Array(2)),
  ],
  // biome-ignore format: a list
  system: [0, 1, 0.5, true, false, {}, { type: "text" }, [1], ["a"], [null], [{}], [{ type: "text" }], [{ type: "image" }], [[]]],
  tools: [...ARRAY, [1], [{ type: 5 }], [{ name: "a", input_schema: 1 }], new Array(129).fill({})],
  tool_choice: [...OBJECT, {}, { type: "nonsense" }, { type: "tool", name: "nothing" }],
  thinking: [...OBJECT, {}, { type: "nonsense" }, { type: "enabled", budget_tokens: 0 }],
  output_config: [...OBJECT, { effort: "nonsense" }, { format: 1 }, { format: { type: "text" } }],
  output_format: [
    ...OBJECT.filter((value) => typeof value !== "object"),
    [],
    {},
    { type: "text" },
    { type: 1 },
    [1],
    ["a"],
  ],
  stop_sequences: [...ARRAY, [1], ["x".repeat(257)], new Array(17).fill("a")],
  stream: BOOLEAN,
  temperature: sampling.temperature!,
  top_p: sampling.top_p!,
  top_k: sampling.top_k!,
  thread: [...OBJECT, {}, { type: "nonsense" }, { type: "continue" }, { type: "continue", previous_message_id: 5 }],
  mcp_servers: [[{ type: "url", url: "https://example.com", name: "a" }]],
  container: ["container_1", { id: "a" }],
  compaction: [{ type: "enabled" }],
};

describe("wrong values are refused by name", () => {
  it.each(Object.entries(WRONG))("%s", (field, values) =>
    expectRefused({ handler, path, valid, named: anthropicName }, field, values),
  );

  it("there is a row for every field that is honoured or refused", () => {
    const { known, unsupported } = MESSAGES_FIELDS;
    expect(Object.keys(WRONG).sort()).toEqual([...known, ...Object.keys(unsupported!)].sort());
  });

  it("an unknown field is ignored and named; a strict server refuses it with the nearest name", async () => {
    const body = { ...valid, maxtokens: 5, tools: [{ name: "a", input_schema: { type: "object" }, flavour: 1 }] };
    const { status, headers } = await postHandler(handler, path, body);
    expect([status, headers.get("x-nibble-ignored")]).toEqual([200, "maxtokens, tools[0].flavour"]);
    const refused = await postHandler(strict, path, { ...valid, maxtokens: 5 });
    expect(refused.json().error.message).toBe("maxtokens: unknown field; did you mean max_tokens?");
    const inner = { ...valid, output_config: { efort: "low" } };
    expect((await postHandler(strict, path, inner)).json().error.message).toMatch(/^output_config\.efort: .*effort\?$/);
  });
});

describe("fields without effect are accepted, on a strict server too", () => {
  it("any value of an unused field", async () => {
    for (const field of MESSAGES_FIELDS.unused!)
      for (const value of [null, true, 5, "text", ["a"], { type: "create", deep: { a: [] } }]) {
        const { status, text } = await postHandler(strict, path, { ...valid, [field]: value });
        expect([status, field], text).toEqual([200, field]);
      }
  });

  it("empty lists of unsupported things", async () => {
    expect((await postHandler(strict, path, { ...valid, mcp_servers: [], container: null })).status).toBe(200);
  });
});

describe("tools", () => {
  const custom = { name: "find", description: "d", input_schema: { type: "object", properties: {} } };

  it("that the client runs have their schema; those that Anthropic runs are left out", async () => {
    const tools = [
      { type: "bash_20250124", name: "bash" },
      { type: "web_search_20250305", name: "web_search", max_uses: 8 },
      { type: "computer_20250124", name: "computer", display_width_px: 1, display_height_px: 1 },
      { type: "mcp_toolset", mcp_server_name: "a" },
      custom,
    ];
    const body = { ...valid, tools };
    const { status, headers, text } = await postHandler(handler, path, body);
    expect([status, headers.get("x-nibble-ignored")], text).toEqual([200, "tools[1], tools[2], tools[3]"]);
    for (const tool of [
      { type: "text_editor_20250728", name: "str_replace_based_edit_tool", max_characters: 100 },
      { type: "memory_20250818", name: "memory" },
    ]) {
      const alone = await postHandler(handler, path, { ...valid, tools: [tool] });
      expect([alone.status, alone.headers.get("x-nibble-ignored")], alone.text).toEqual([200, null]);
    }
    // A call of a client's tool keeps to the schema that the server knows.
    const forced = { ...valid, max_tokens: 200, temperature: 0, tools, tool_choice: { type: "tool", name: "bash" } };
    const { content } = (await postHandler(handler, path, forced)).json();
    const call = content.find(({ type }: { type: string }) => type === "tool_use");
    expect(call).toMatchObject({ name: "bash" });
    expect(Object.keys(call.input).every((key) => ["command", "restart"].includes(key))).toBe(true);
  });

  it("a choice of one that Anthropic would run is refused by name", async () => {
    const tools = [{ type: "web_search_20250305", name: "web_search" }];
    const body = { ...valid, tools, tool_choice: { type: "tool", name: "web_search" } };
    expect((await postHandler(handler, path, body)).json().error.message).toMatch(/^tool_choice/);
  });
});

it("blocks of documents and search results are read, those of Anthropic's own tools are left out", async () => {
  const count = async (content: unknown[]) => {
    const answer = await postHandler(handler, "/v1/messages/count_tokens", { messages: [{ role: "user", content }] });
    return { tokens: answer.json().input_tokens, ignored: answer.headers.get("x-nibble-ignored") };
  };
  const text = { type: "text", text: "Summarize." };
  const document = {
    type: "document",
    title: "T",
    source: { type: "text", media_type: "text/plain", data: "word ".repeat(50) },
  };
  const result = {
    type: "search_result",
    source: "s",
    title: "t",
    content: [{ type: "text", text: "word ".repeat(50) }],
  };
  const plain = await count([text]);
  expect((await count([document, text])).tokens).toBeGreaterThan(plain.tokens + 40);
  expect((await count([result, text])).tokens).toBeGreaterThan(plain.tokens + 40);
  const search = { type: "web_search_tool_result", tool_use_id: "a", content: [] };
  expect(await count([search, text])).toEqual({ ...plain, ignored: "messages[0].content[0]" });
});

/** The fields that Claude Code's request has, as its public documentation and its SDK's types list them. */
const CLAUDE_CODE = {
  model: "claude-sonnet-4-5-20250929",
  max_tokens: 8,
  stream: true,
  temperature: 1,
  system: [
    { type: "text", text: "You are an agent.", cache_control: { type: "ephemeral", scope: "global" } },
    { type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } },
  ],
  messages: [
    { role: "user", content: [{ type: "text", text: "List the files.", cache_control: { type: "ephemeral" } }] },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "I list them.", signature: "abc" },
        { type: "redacted_thinking", data: "xyz" },
        { type: "text", text: "Here they are.", citations: null },
        { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" }, caller: { type: "direct" } },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "a.txt" }], is_error: false },
        { type: "text", text: "And now?" },
      ],
    },
    { role: "system", content: "The user has opened a.txt." },
  ],
  tools: [
    {
      name: "Bash",
      description: "Runs a command.",
      input_schema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { command: { type: "string" }, timeout: { type: "number", description: "ms" } },
        required: ["command"],
        additionalProperties: false,
      },
      eager_input_streaming: true,
      defer_loading: false,
      strict: false,
      cache_control: { type: "ephemeral", ttl: "1h", scope: "global" },
    },
    { type: "web_search_20250305", name: "web_search", max_uses: 8 },
  ],
  tool_choice: { type: "auto", disable_parallel_tool_use: false },
  metadata: { user_id: "user_0_account_1_session_2" },
  thinking: { type: "adaptive", display: "summarized" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "medium" },
  service_tier: "auto",
  stop_sequences: [],
  betas: ["interleaved-thinking-2025-05-14"],
  speed: "standard",
};

it("Claude Code's body with every field: streamed, whole and counted", async () => {
  const headers = { "anthropic-version": "2023-06-01", "anthropic-beta": "claude-code-20250219" };
  const streamed = await postHandler(strict, `${path}?beta=true`, CLAUDE_CODE, headers);
  expect(streamed.status, streamed.text).toBe(200);
  expect(streamed.text).toContain("event: message_stop");
  expect(streamed.headers.get("x-nibble-ignored")).toBe("tools[1]");
  for (const thinking of [{ type: "enabled", budget_tokens: 1024 }, { type: "disabled" }, undefined]) {
    const whole = await postHandler(strict, path, { ...CLAUDE_CODE, stream: false, thinking }, headers);
    expect([whole.status, whole.json().type], whole.text).toEqual([200, "message"]);
  }
  const counted = await postHandler(strict, "/v1/messages/count_tokens?beta=true", CLAUDE_CODE, headers);
  expect(counted.json().input_tokens).toBeGreaterThan(50);
});
