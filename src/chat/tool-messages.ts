/**
 * Conversations with tools for templates that do not show them: everything becomes text, as Hermes models write it.
 * @module
 */
import type { ChatMessage } from "./template.ts";
import { type Tool, toolInstructions } from "./tool-format.ts";

interface Call {
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/**
 * Instructions and tools go into the system message, calls into the assistant's text, results into the user's.
 * @param system whether the template shows system messages; else the instructions stand in the first user message
 */
export function spellTools(messages: readonly ChatMessage[], tools: readonly Tool[], system: boolean): ChatMessage[] {
  const spelled = joinUsers(messages.map(spell));
  if (tools.length === 0) return spelled;
  const instructions = toolInstructions(tools);
  const at = spelled.findIndex(({ role }) => role === (system ? "system" : "user"));
  const message = spelled[at];
  if (system && at !== 0) return [{ role: "system", content: instructions }, ...spelled];
  if (!message) return [{ role: "user", content: instructions }, ...spelled];
  const content = system ? `${message.content}\n\n${instructions}` : `${instructions}\n\n${message.content}`;
  return spelled.with(at, { ...message, content });
}

interface Spelled {
  readonly message: ChatMessage;
  /** The message was the result of a tool. */
  readonly isResult: boolean;
}

function spell(message: ChatMessage): Spelled {
  if (message.role === "tool") {
    const content = `<tool_response>\n${message.content ?? ""}\n</tool_response>`;
    return { message: { role: "user", content }, isResult: true };
  }
  const { tool_calls: calls, ...rest } = message;
  if (!Array.isArray(calls)) return { message, isResult: false };
  const texts = (calls as Call[]).map(({ function: { name, arguments: given } }) => {
    return `<tool_call>\n${JSON.stringify({ name, arguments: given })}\n</tool_call>`;
  });
  const content = [...(message.content ? [message.content] : []), ...texts].join("\n");
  return { message: { ...rest, content }, isResult: false };
}

/** Results of one turn, and the user's words behind them, are one message: many templates want turns to alternate. */
function joinUsers(spelled: readonly Spelled[]): ChatMessage[] {
  const joined: ChatMessage[] = [];
  let afterResult = false;
  for (const { message, isResult } of spelled) {
    const before = joined.at(-1);
    if (before?.role === "user" && message.role === "user" && (isResult || afterResult))
      joined[joined.length - 1] = { ...before, content: `${before.content}\n${message.content}` };
    else joined.push(message);
    afterResult = isResult;
  }
  return joined;
}
