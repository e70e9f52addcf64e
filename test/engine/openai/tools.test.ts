/** Requests with tools, on models that write a given text, or noise. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const HERMES =
  "{% if tools %}<tools>{% for t in tools %}{{ t | tojson }}{% endfor %}</tools> use <tool_call>{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }} {{ c.function.arguments | tojson }}</tool_call>{% endfor %}{% endif %}{% endfor %}";
const LLAMA3 =
  '{% if tools %}{{ tools | tojson }} {"name": ..., "parameters": ...} <|python_tag|>{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}';
const PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
const OTHER = "{{ tools }}[TOOL_CALLS]{{ messages[0].content }}";

const tokenizer = new FakeTokenizer();
const messages = [{ role: "user", content: "Hi" }];
const parameters = {
  type: "object",
  properties: { city: { type: "string", maxLength: 10 }, unit: { $ref: "#/$defs/unit" } },
  required: ["city", "unit"],
  $defs: { unit: { enum: ["C", "F"] } },
};
const tools = [
  { type: "function" as const, function: { name: "weather", description: "The weather", parameters } },
  { type: "function" as const, function: { name: "now" } },
];

/** A model that writes `text`, or noise. `prompts` collects the prompts that it has read. */
function create(template: string, text?: string): { model: Model; prompts: string[] } {
  const script = text === undefined ? undefined : [...tokenizer.encode(text, { addBos: false }), IM_END];
  const prompts: string[] = [];
  const executor = new FakeExecutor({
    contextLength: 4096,
    pages: 400,
    next: (tokens) => {
      const prompt = tokenizer.decode(tokens);
      if (!prompts.some((known) => prompt.startsWith(known))) prompts.push(prompt);
      return script?.[tokens.length - tokenizer.encode(prompts.at(-1)!, { addBos: false }).length];
    },
  });
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", template]]),
  });
  return { model, prompts };
}

async function ask(model: Model, fields: Partial<ChatCompletionRequest>) {
  const result = await model.chat.completions.create({ messages, top_k: 0, tools, ...fields, stream: false });
  const [choice] = result.choices;
  return { ...choice!, calls: choice!.message.tool_calls ?? [] };
}

describe("a call of the model's own", () => {
  const CALL = 'I look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Rome", "unit": "C"}}\n</tool_call>';

  it("comes apart from the content, with finish_reason tool_calls", async () => {
    const { model, prompts } = create(HERMES, CALL);
    const { message, finish_reason } = await ask(model, { temperature: 0 });
    expect(message).toEqual({
      role: "assistant",
      content: "I look.",
      tool_calls: [
        {
          id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
          type: "function",
          function: { name: "weather", arguments: '{"city": "Rome", "unit": "C"}' },
        },
      ],
    });
    expect(finish_reason).toBe("tool_calls");
    expect(prompts[0]).toContain('<tools>{"type": "function", "function": {"name": "weather", "description"');
  });

  it("is streamed: its id and name first, then its arguments as they come", async () => {
    const { model } = create(HERMES, CALL);
    const stream = await model.chat.completions.create({ messages, tools, temperature: 0, stream: true });
    const deltas: unknown[] = [];
    let finish: string | null = null;
    for await (const { choices } of stream) {
      deltas.push(...(choices[0]?.delta.tool_calls ?? []));
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect(deltas[0]).toEqual({
      index: 0,
      id: expect.any(String),
      type: "function",
      function: { name: "weather", arguments: "" },
    });
    expect(deltas.slice(1)).toEqual(
      [...'{"city": "Rome", "unit": "C"}'].map((text) => ({ index: 0, function: { arguments: text } })),
    );
    expect(finish).toBe("tool_calls");
  });

  it("in Llama 3's way, alone: the content is null", async () => {
    const { model } = create(LLAMA3, '{"name": "now", "parameters": {}}');
    const { message, finish_reason } = await ask(model, { temperature: 0 });
    expect([message.content, message.tool_calls?.[0]?.function, finish_reason]).toEqual([
      null,
      { name: "now", arguments: "{}" },
      "tool_calls",
    ]);
  });

  it("behind reasoning, which may talk of calls", async () => {
    const { model } = create(HERMES, `<think>A <tool_call> might do</think>\n\n${CALL}`);
    const { message } = await ask(model, { temperature: 0 });
    expect(message).toMatchObject({ reasoning_content: "A <tool_call> might do", content: "I look." });
    expect(message.tool_calls).toHaveLength(1);
  });

  it("is text where none is wanted, and the tools are not shown", async () => {
    const { model, prompts } = create(HERMES, CALL);
    const { message, finish_reason } = await ask(model, { temperature: 0, tool_choice: "none" });
    expect([message.content, message.tool_calls, finish_reason]).toEqual([CALL, undefined, "stop"]);
    expect(prompts[0]).toBe("[user]Hi");
  });

  it("that max_tokens cuts ends by length", async () => {
    const { model } = create(HERMES, CALL);
    const { calls, finish_reason } = await ask(model, { temperature: 0, max_tokens: CALL.indexOf(': "Rome"') });
    expect([calls[0]?.function.arguments, finish_reason]).toEqual(['{"city"', "length"]);
  });
});

describe("a call that is asked for", () => {
  const ajv = new Ajv2020();
  it.each([
    ["hermes", HERMES],
    ["llama3", LLAMA3],
    ["a template without tools", PLAIN],
  ])("comes: %s", async (_, template) => {
    const { model } = create(template);
    for (let seed = 0; seed < 12; seed++) {
      const { calls, finish_reason, message } = await ask(model, {
        tool_choice: "required",
        seed,
        max_tokens: 1500,
        parallel_tool_calls: false,
      });
      expect([finish_reason, message.content, calls.length]).toEqual(["tool_calls", null, 1]);
      const { name, arguments: given } = calls[0]!.function;
      expect(["weather", "now"]).toContain(name);
      expect(ajv.validate(name === "weather" ? parameters : { type: "object" }, JSON.parse(given))).toBe(true);
    }
  });

  it("by its name", async () => {
    const { model } = create(HERMES);
    for (let seed = 0; seed < 8; seed++) {
      const choice = { type: "function" as const, function: { name: "weather" } };
      const { calls } = await ask(model, { tool_choice: choice, seed });
      expect(calls.map((call) => call.function.name)).toEqual(["weather"]);
      expect(ajv.validate(parameters, JSON.parse(calls[0]!.function.arguments))).toBe(true);
    }
  });
});

describe("a conversation with calls", () => {
  const conversation = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "20 C" },
  ];

  it("goes through the template: arguments as an object", async () => {
    const { model, prompts } = create(HERMES, "Warm.");
    const { message } = await ask(model, { messages: conversation as never, temperature: 0 });
    expect(message.content).toBe("Warm.");
    expect(prompts[0]).toContain('[assistant]<tool_call>weather {"city": "Rome"}</tool_call>[tool]20 C');
  });

  it("is spelled out for a template that knows no tools", async () => {
    const { model, prompts } = create(PLAIN, "Warm.");
    await ask(model, { messages: conversation as never, temperature: 0 });
    expect(prompts[0]).toMatch(/^\[system\]Be brief\.\n\nYou can call/);
    expect(prompts[0]).toContain(
      '[assistant]<tool_call>\n{"name":"weather","arguments":{"city":"Rome"}}\n</tool_call>',
    );
    expect(prompts[0]).toContain("[user]<tool_response>\n20 C\n</tool_response>");
  });
});

describe("tools beside a format", () => {
  const response_format = {
    type: "json_schema",
    json_schema: { name: "n", schema: { type: "object", properties: { ok: { const: true } }, required: ["ok"] } },
  } as const;
  const isAnswer = (content: string | null) => new Ajv2020().validate({ required: ["ok"] }, JSON.parse(content!));

  /** The characters that begin, or tell, a call and an answer. */
  const [TAG, BRACE, NAME, OK] = ["<", "{", "n", "o"].map((text) => ({ '"': 90, [text]: 100 }));
  it.each([
    [HERMES, TAG!, BRACE!],
    [LLAMA3, NAME!, OK!],
    [PLAIN, TAG!, BRACE!],
    [OTHER, TAG!, BRACE!],
  ])("the answer is a call or keeps to the format: %s", async (template, toCall, toAnswer) => {
    for (let seed = 0; seed < 4; seed++) {
      const fields = { response_format, seed, temperature: 2, max_tokens: 3000 };
      const call = await ask(create(template).model, { ...fields, logit_bias: toCall });
      expect(call.calls.every(({ function: { name } }) => /^(weather|now)$/.test(name))).toBe(true);
      expect([call.calls.length > 0, call.message.content]).toEqual([true, null]);
      const answer = await ask(create(template).model, { ...fields, logit_bias: toAnswer });
      expect([answer.calls.length, isAnswer(answer.message.content)]).toEqual([0, true]);
    }
  });

  it("tool_choice none: the format alone; required: the call alone", async () => {
    const { model } = create(HERMES);
    for (let seed = 0; seed < 6; seed++) {
      const fields = { response_format, seed, temperature: 2, max_tokens: 2000 };
      const none = await ask(model, { ...fields, tool_choice: "none" });
      expect([none.calls.length, isAnswer(none.message.content)]).toEqual([0, true]);
      const call = await ask(model, { ...fields, tool_choice: "required" });
      expect([call.calls.length > 0, call.message.content]).toEqual([true, null]);
    }
  });

  it("a tool whose schema is not supported may be called with any object", async () => {
    const open = { type: "function" as const, function: { name: "open", parameters: { $ref: "#/nowhere" } } };
    const fields = { tools: [open], response_format, seed: 1, temperature: 2, max_tokens: 3000 };
    const { calls } = await ask(create(HERMES).model, { ...fields, logit_bias: TAG! });
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) expect(JSON.parse(call.function.arguments)).toBeTypeOf("object");
    const { message } = await ask(create(HERMES).model, { ...fields, logit_bias: BRACE! });
    expect(isAnswer(message.content)).toBe(true);
  });
});

describe("allowed_tools", () => {
  const allow = (mode: "auto" | "required", name = "now") =>
    ({ type: "allowed_tools", allowed_tools: { mode, tools: [{ type: "function", function: { name } }] } }) as const;

  it("required: one of them; auto: others are not shown", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const { calls } = await ask(create(HERMES).model, { tool_choice: allow("required"), seed, temperature: 2 });
      expect(new Set(calls.map(({ function: { name } }) => name))).toEqual(new Set(["now"]));
    }
    const { model, prompts } = create(HERMES, "No.");
    await ask(model, { tool_choice: allow("auto"), temperature: 0 });
    expect([prompts[0]!.includes('"now"'), prompts[0]!.includes('"weather"')]).toEqual([true, false]);
  });

  it("a name that is no tool is refused", async () => {
    const refusal = { param: "tool_choice.allowed_tools.tools[0].function.name" };
    await expect(ask(create(HERMES).model, { tool_choice: allow("auto", "other") })).rejects.toMatchObject(refusal);
  });
});

describe("a template of any family", () => {
  const conversation = [
    { role: "user", content: "Rome?" },
    { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "now", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "1", content: "12:00" },
    { role: "user", content: "And Oslo?" },
  ];
  const TURNS =
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate') }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}[TOOL_CALLS]{{ tools }}";

  it("that asks for other calls gets instructions, and calls are read", async () => {
    const { model, prompts } = create(OTHER, '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>');
    const { calls } = await ask(model, { temperature: 0 });
    expect(calls.map(({ function: { name } }) => name)).toEqual(["now"]);
    expect(prompts[0]).toContain("You can call these functions");
  });

  it("that refuses system messages, or two turns of the user, gets them in the user's turns", async () => {
    const { model, prompts } = create(TURNS, "12.");
    await ask(model, { messages: conversation, temperature: 0 });
    expect(prompts[0]).toMatch(
      /^\[user\]You can call.*Rome\?\[assistant\]<tool_call>.*\[user\]<tool_response>\n12:00\n<\/tool_response>\nAnd Oslo\?/s,
    );
  });
});

describe("wrong fields are refused by name", () => {
  const { model } = create(HERMES);
  const named = (name: unknown) => [{ type: "function", function: { name } }];
  it.each([
    [{ tools: named("a b") }, "tools[0].function.name"],
    [{ tools: [...named("a"), ...named("a")] }, "tools[1].function.name"],
    [{ tools: [{ type: "web_search" }] }, "tools[0].type"],
    [{ tools: [{ type: "function", function: { name: "a", parameters: "x" } }] }, "tools[0].function.parameters"],
    [{ tools: Array.from({ length: 1025 }, (_, i) => named(`a${i}`)[0]) }, "tools"],
    [{ tool_choice: "some" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "other" } } }, "tool_choice.function.name"],
    [{ tools: [], tool_choice: "required" }, "tool_choice"],
    [
      { tools: [{ type: "function", function: { name: "a", parameters: { not: {} } } }], tool_choice: "required" },
      "tools",
    ],
    [{ parallel_tool_calls: 1 }, "parallel_tool_calls"],
    [{ messages: [{ role: "assistant", tool_calls: [{ function: {} }] }] }, "messages[0].tool_calls[0].function.name"],
    [{ messages: [{ role: "assistant", tool_calls: [5] }] }, "messages[0].tool_calls[0]"],
  ])("%j", async (fields, param) => {
    await expect(ask(model, fields as never)).rejects.toMatchObject({ code: "invalid_request", param });
  });
});
