/**
 * Models with templates for tools, which write a given text, or noise.
 * @module
 */
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../../src/engine/openai/chat-types.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../../helpers/fake-tokenizer.ts";

export const HERMES =
  "{% if tools %}<tools>{% for t in tools %}{{ t | tojson }}{% endfor %}</tools> use <tool_call>{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }} {{ c.function.arguments | tojson }}</tool_call>{% endfor %}{% endif %}{% endfor %}";
export const LLAMA3 =
  '{% if tools %}{{ tools | tojson }} {"name": ..., "parameters": ...} <|python_tag|>{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}';
export const PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
export const OTHER = "{{ tools }}[TOOL_CALLS]{{ messages[0].content }}";

const tokenizer = new FakeTokenizer();
export const messages = [{ role: "user", content: "Hi" }];
export const parameters = {
  type: "object",
  properties: { city: { type: "string", maxLength: 10 }, unit: { $ref: "#/$defs/unit" } },
  required: ["city", "unit"],
  $defs: { unit: { enum: ["C", "F"] } },
};
export const tools = [
  { type: "function" as const, function: { name: "weather", description: "The weather", parameters } },
  { type: "function" as const, function: { name: "now" } },
];

/** A model that writes `text`, or noise. `prompts` collects the prompts that it has read. */
export function create(template: string, text?: string): { model: Model; prompts: string[] } {
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

export async function ask(model: Model, fields: Partial<ChatCompletionRequest>) {
  const result = await model.chat.completions.create({ messages, top_k: 0, tools, ...fields, stream: false });
  const [choice] = result.choices;
  return { ...choice!, calls: choice!.message.tool_calls ?? [] };
}
