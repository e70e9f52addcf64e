/**
 * Turns the AI SDK's prompt into OpenAI's messages.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ChatMessageParam } from "../engine/openai/chat-types.ts";
import type { PromptMessage, PromptPart, ToolOutput } from "./types.ts";

/** @throws NibbleError `invalid_request` that names a part the model cannot read, such as an image */
export function toMessages(prompt: readonly PromptMessage[]): ChatMessageParam[] {
  return prompt.flatMap(({ role, content }, i): ChatMessageParam[] => {
    if (typeof content === "string") return [{ role, content }];
    const at = (j: number) => `prompt[${i}].content[${j}]`;
    if (role === "tool") return content.flatMap(toolMessage);
    if (role === "assistant") return [assistantMessage(content, at)];
    return [{ role, content: content.map((part, j) => textOf(part, at(j))).join("") }];
  });
}

function assistantMessage(parts: readonly PromptPart[], at: (j: number) => string): ChatMessageParam {
  let content = "";
  let reasoning = "";
  const calls: unknown[] = [];
  parts.forEach((part, j) => {
    if (part.type === "reasoning") reasoning += part.text ?? "";
    else if (part.type === "tool-call") {
      const call = { name: part.toolName, arguments: JSON.stringify(part.input ?? {}) };
      calls.push({ id: part.toolCallId, type: "function", function: call });
    } else content += textOf(part, at(j));
  });
  return {
    role: "assistant",
    content,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Answers to approval requests have no text; they concern tools that a provider runs, and this one runs none. */
function toolMessage(part: PromptPart): ChatMessageParam[] {
  if (part.type !== "tool-result") return [];
  const content = outputText(part.output);
  const { toolCallId, toolName } = part;
  return [
    {
      role: "tool",
      content,
      ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
      ...(toolName !== undefined && { name: toolName }),
    },
  ];
}

function outputText(output: ToolOutput | undefined): string {
  if (output?.type === "execution-denied") return output.reason ?? "The tool was not run: the user denied it.";
  if (output?.type === "content" && Array.isArray(output.value)) {
    return output.value.map((part: PromptPart, i) => textOf(part, `output.value[${i}]`)).join("\n");
  }
  return typeof output?.value === "string" ? output.value : JSON.stringify(output?.value ?? null);
}

/** The text of a text part, or of a file that is text. */
function textOf(part: PromptPart, param: string): string {
  if (part.type === "text") return part.text ?? "";
  if (part.type === "file") {
    const text = fileText(part);
    if (text !== undefined) return text;
  }
  const what = part.mediaType ? `${part.type} (${part.mediaType})` : part.type;
  throw new NibbleError("invalid_request", `${param}: expected text, got a part of type ${what}`, { param });
}

/** The text of a file. Version 4 tags the data with its kind; in version 3 it is bytes, or a string of base64. */
function fileText({ data, mediaType }: PromptPart): string | undefined {
  const tagged = (data ?? {}) as { type?: string; text?: string; data?: unknown };
  if (tagged.type === "text") return tagged.text ?? "";
  if (!/^text(\/|$)/.test(mediaType ?? "")) return undefined;
  const bytes = tagged.type === "data" ? tagged.data : data;
  if (bytes instanceof Uint8Array) return new TextDecoder().decode(bytes);
  if (typeof bytes !== "string") return undefined;
  return new TextDecoder().decode(Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0)));
}
