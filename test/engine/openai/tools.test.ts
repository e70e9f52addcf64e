/** Requests with tools, on models that write a given text, or noise. */
import { describe, expect, it } from "vitest";
import { ask, create, HERMES, LLAMA3, messages, OTHER, PLAIN, tools } from "./tool-models.ts";

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
