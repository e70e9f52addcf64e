/** Conversations that end with the assistant's turn are continued. */
import { describe, expect, it } from "vitest";
import { createModel } from "../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../src/engine/openai/chat-types.ts";
import { FakeExecutor } from "../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../helpers/fake-tokenizer.ts";

const tokenizer = new FakeTokenizer();
const TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
const START = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const CHATML = TURNS + START;
const TRIMMED = CHATML.replace("m.content", "m.content | trim");
/** A template like DeepSeek-R1's: a new turn begins inside of a `<think>` block. */
const OPENED = CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif");
/** A template like Qwen 3's: the last turn always has a block, which may be empty. */
const BLOCKS = CHATML.replace(
  "{{ m.content }}",
  "{% if m.role == 'assistant' %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}{{ m.content }}",
);
const HERMES = `{% if tools %}<tool_call>{% endif %}${CHATML}`;

/** A model that writes `text`, and the prompt that it has read. */
function writing(template: string, text: string) {
  const script = [...tokenizer.encode(text, { addBos: false }), IM_END];
  let prompt: readonly number[] | undefined;
  const executor = new FakeExecutor({
    contextLength: 2048,
    pages: 400,
    next: (tokens) => {
      prompt ??= [...tokens];
      return script[tokens.length - prompt.length];
    },
  });
  const model = createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", template]]),
  });
  const ask = async (last: object, fields: Partial<ChatCompletionRequest> = {}) => {
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", ...last },
    ];
    const { choices } = await model.chat.completions.create({ messages, temperature: 0, ...fields, stream: false });
    return { ...choices[0]!, prompt: tokenizer.decode(prompt!) };
  };
  return { model, ask };
}

const USER = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";

describe("how the prompt ends", () => {
  it.each([
    ["as it is", CHATML, "The sky is", "The sky is"],
    ["with its white space", CHATML, " The sky is ", " The sky is "],
    ["as the template trims it", TRIMMED, " The sky is ", "The sky is"],
    ["behind an empty block of reasoning", BLOCKS, "The sky is", "<think>\n\n</think>\n\nThe sky is"],
  ])("inside of the message, %s", async (_, template, content, end) => {
    const { message, prompt } = await writing(template, " blue.").ask({ content });
    expect(prompt).toBe(USER + end);
    expect(message.content).toBe(" blue.");
  });

  it("as vLLM's fields say", async () => {
    const { ask } = writing(CHATML, "blue.");
    const closed = `${USER}The sky is<|im_end|>\n`;
    const last = { content: "The sky is" };
    expect((await ask(last, { add_generation_prompt: true })).prompt).toBe(`${closed}<|im_start|>assistant\n`);
    const { prompt } = await writing(CHATML, "b").ask(last, {
      add_generation_prompt: false,
      continue_final_message: false,
    });
    expect(prompt).toBe(closed);
    const named = { add_generation_prompt: false, continue_final_message: true };
    expect((await writing(CHATML, "b").ask(last, named)).prompt).toBe(`${USER}The sky is`);
    await expect(ask(last, { ...named, add_generation_prompt: true })).rejects.toMatchObject({
      param: "add_generation_prompt",
    });
    await expect(
      writing(CHATML, "b").model.chat.completions.create({
        messages: [{ role: "user", content: "Hi" }],
        continue_final_message: true,
      }),
    ).rejects.toMatchObject({ param: "continue_final_message" });
  });

  it("with a new turn behind calls of tools", async () => {
    const calls = [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }];
    expect((await writing(CHATML, "b").ask({ content: "", tool_calls: calls })).prompt).toMatch(/assistant\n$/);
  });

  it("the marker of a message that contains it is the last one", async () => {
    const content = "NIBBLE_CONTINUES_THIS_MESSAGE and on";
    expect((await writing(CHATML, "b").ask({ content })).prompt).toBe(USER + content);
  });
});

describe("reasoning", () => {
  it.each([
    ["content follows content", CHATML, { content: "So" }, " <think>no</think>", { content: " <think>no</think>" }],
    ["an open block goes on", CHATML, { content: "<think>\nOne" }, " two</think>\nYes.", { reasoning_content: "two", content: "Yes." }],
    ["reasoning alone goes on", CHATML, { reasoning_content: "One" }, " two</think>Yes.", { reasoning_content: "two", content: "Yes." }],
    ["a block that the template opens goes on", OPENED, { reasoning_content: "One" }, " two</think>Yes.", { reasoning_content: "two", content: "Yes." }],
    ["a closed block is closed", CHATML, { content: "<think>One</think>\nSo" }, " yes.", { content: " yes." }],
    ["a block of its own is closed", BLOCKS, { reasoning_content: "One", content: "So" }, " yes.", { content: " yes." }],
  ])("%s", async (_, template, last, text, expected) => {
    const { message } = await writing(template, text).ask(last);
    expect({ ...message, reasoning_content: message.reasoning_content?.trim() }).toMatchObject(expected);
    if (!("reasoning_content" in expected)) expect(message.reasoning_content).toBeUndefined();
  }); // biome-ignore format: a table

  it("a budget counts from there", async () => {
    const { message } = await writing(CHATML, "two three</think>No.").ask(
      { content: "<think>One " },
      { reasoning_budget: 3 },
    );
    expect(message.reasoning_content!.trim()).toBe("two");
  });
});

describe("formats and calls", () => {
  const schema = { type: "object", properties: { a: { const: 1 } }, required: ["a"], additionalProperties: false };
  const response_format = { type: "json_schema", json_schema: { name: "n", schema } } as const;

  it("a format holds for the whole message where it begins like the format, else for the rest", async () => {
    const { ask } = writing(CHATML, "?");
    const { message } = await ask({ content: '{"a"' }, { response_format });
    expect(JSON.parse(`{"a"${message.content}`)).toEqual({ a: 1 });
    const rest = await writing(CHATML, "?").ask({ content: "JSON: " }, { response_format });
    expect(JSON.parse(rest.message.content!)).toEqual({ a: 1 });
  });

  const tools = [{ type: "function" as const, function: { name: "now", parameters: { type: "object" } } }];
  it("a call that has begun is read whole, and its text is not given again", async () => {
    const { ask } = writing(HERMES, 'ow", "arguments": {}}\n</tool_call>');
    const { message, finish_reason } = await ask({ content: 'I look.\n<tool_call>\n{"name": "n' }, { tools });
    expect(message.tool_calls!.map(({ function: called }) => called)).toEqual([{ name: "now", arguments: "{}" }]);
    expect([message.content, finish_reason]).toEqual([null, "tool_calls"]);
  });
});
