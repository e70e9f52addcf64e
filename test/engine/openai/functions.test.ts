/** OpenAI's older form of tools: `functions` and `function_call`, in requests, messages and answers. */
import { describe, expect, it } from "vitest";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const TEMPLATE =
  "{% for t in tools or [] %}{{ t | tojson }}<tool_call>{% endfor %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls or [] %}<{{ c.function.name }} {{ c.function.arguments.city }}>{% endfor %}{% endfor %}";
const CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>';
const tokenizer = new FakeTokenizer();
const messages = [{ role: "user", content: "Hi" }];
const functions = [
  { name: "weather", parameters: { type: "object", properties: { city: { enum: ["Rome", "Oslo"] } } } },
  { name: "now" },
];

/** A model that writes `text`, or noise. */
function create(text?: string): Model {
  const script = text === undefined ? undefined : [...tokenizer.encode(text, { addBos: false }), IM_END];
  let prompt: number | undefined;
  const next = (tokens: readonly number[]) => {
    prompt ??= tokens.length;
    return script?.[tokens.length - prompt];
  };
  const executor = new FakeExecutor({ contextLength: 4096, pages: 400, next });
  const templates = new Map([["default", TEMPLATE]]);
  return createModel({ name: "fake", architecture: "test", tokenizer, executor, templates });
}

async function ask(model: Model, fields: Partial<ChatCompletionRequest>) {
  const { choices } = await model.chat.completions.create({ messages, functions, ...fields, stream: false });
  return choices[0]!;
}

describe("functions", () => {
  it("a call comes in function_call", async () => {
    const { message, finish_reason } = await ask(create(CALL), { temperature: 0 });
    expect(message).toEqual({
      role: "assistant",
      content: null,
      function_call: { name: "weather", arguments: '{"city": "Rome"}' },
    });
    expect(finish_reason).toBe("function_call");
  });

  it("only the first of several calls, for which the form has room", async () => {
    const { message } = await ask(create(`${CALL}\n${CALL.replace("weather", "now")}`), { temperature: 0 });
    expect(message.function_call).toEqual({ name: "weather", arguments: '{"city": "Rome"}' });
    expect(message.tool_calls).toBeUndefined();
  });

  it("a stream has the name in the first piece", async () => {
    const request = { messages, functions, temperature: 0, stream: true as const };
    const pieces = [];
    for await (const { choices } of await create(CALL).chat.completions.create(request))
      pieces.push(choices[0]?.delta.function_call);
    const [first, ...rest] = pieces.filter((piece) => piece !== undefined);
    expect(first!.name).toBe("weather");
    expect(rest.every(({ name }) => name === undefined)).toBe(true);
    expect([first, ...rest].map((piece) => piece!.arguments).join("")).toBe('{"city": "Rome"}');
  });

  it("function_call: none shows no function, a name forces its call", async () => {
    const none = await ask(create(CALL), { function_call: "none", temperature: 0 });
    expect([none.message.content, none.finish_reason]).toEqual([CALL, "stop"]);
    const forced = await ask(create(), { function_call: { name: "weather" }, seed: 1, max_tokens: 400 });
    expect(forced.message.function_call!.name).toBe("weather");
    const { city = "Rome" } = JSON.parse(forced.message.function_call!.arguments) as { city?: string };
    expect(["Rome", "Oslo"]).toContain(city);
  });

  it("messages of a conversation", () => {
    const conversation = [
      ...messages,
      { role: "assistant", content: null, function_call: { name: "weather", arguments: '{"city":"Rome"}' } },
      { role: "function", name: "weather", content: "20 C" },
    ];
    const prompt = create().chatPrompt({ messages: conversation }).text;
    expect(prompt).toBe("[user]Hi[assistant]<weather Rome>[tool]20 C");
  });
});

it.each<[Record<string, unknown>, RegExp]>([
  [{ functions, tools: [{ type: "function", function: { name: "f" } }] }, /^functions: .* together with tools/],
  [{ functions: [{}] }, /^functions\[0\]\.name: a value is required/],
  [{ functions: [{ name: "f" }, { name: "f" }] }, /^functions\[1\]\.name: expected each name once/],
  [{ functions, function_call: { name: "other" } }, /^function_call\.name: expected the name of one of tools/],
  [{ functions, function_call: "weather" }, /^function_call: expected "none", "auto"/],
  [{ messages: [{ role: "assistant", function_call: { arguments: "{}" } }] }, /function_call\.name/],
])("%j is refused", async (fields, message) => {
  const request = { messages, ...fields } as unknown as ChatCompletionRequest & { stream: false };
  await expect(create().chat.completions.create(request)).rejects.toThrow(message);
});

it("a tool may have its function's fields in itself, as in the Responses API", async () => {
  const flat = [{ type: "function", ...functions[0]! }] as unknown as ChatCompletionRequest["tools"];
  const { message } = await ask(create(CALL), { functions: null, tools: flat!, temperature: 0 });
  expect(message.tool_calls?.[0]?.function.name).toBe("weather");
});
