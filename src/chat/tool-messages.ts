/**
 * Conversations with tools for templates that do not support them: tools, calls and results become text in the format of
 * Hermes models.
 * @module
 */
import type { ChatMessage } from "./template.ts";
import { type Tool, toolInstructions } from "./tool-format.ts";

interface Call {
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** Puts tools into the system message, calls into the assistant's text, and results into user messages. */
export function spellTools(messages: readonly ChatMessage[], tools: readonly Tool[]): ChatMessage[] {
  const spelled = messages.map(spell);
  if (tools.length === 0) return spelled;
  const instructions = toolInstructions(tools);
  const [first, ...rest] = spelled;
  if (first?.role !== "system") return [{ role: "system", content: instructions }, ...spelled];
  return [{ ...first, content: `${first.content}\n\n${instructions}` }, ...rest];
}

function spell(message: ChatMessage): ChatMessage {
  if (message.role === "tool") {
    return { role: "user", content: `<tool_response>\n${message.content ?? ""}\n</tool_response>` };
  }
  const { tool_calls: calls, ...rest } = message;
  if (!Array.isArray(calls)) return message;
  const texts = (calls as Call[]).map(({ function: { name, arguments: given } }) => {
    return `<tool_call>\n${JSON.stringify({ name, arguments: given })}\n</tool_call>`;
  });
  return { ...rest, content: [...(message.content ? [message.content] : []), ...texts].join("\n") };
}
