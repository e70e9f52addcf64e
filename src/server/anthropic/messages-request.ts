/**
 * From a body of Anthropic's /v1/messages to a chat completion's. What is checked here is named as Anthropic names it.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import { MAX_MESSAGES } from "../../engine/request/request.ts";
import type { FieldNames } from "../errors.ts";
import type { Body } from "../openai/completions.ts";

const CONVERSATION = [
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "cache_control",
];
const FIELDS = [
  ...CONVERSATION,
  "max_tokens",
  "stop_sequences",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "metadata",
  "service_tier",
];
const MAX_TOOLS = 128;
const MAX_BLOCKS = 1024;

export interface MessagesRequest {
  readonly stream: boolean;
  /** Whether the client wants to see reasoning. */
  readonly thinking: boolean;
  readonly chat: Body;
}

/** What the engine calls these fields, and what the client does. */
export const MESSAGES_NAMES: FieldNames = [
  [/^stop\b/, "stop_sequences"],
  [/^response_format\.json_schema/, "output_config.format"],
  [/^response_format/, "output_config.format"],
  [/^prompt\b/, "messages"],
  [/^tools(\[\d+\])\.function\.parameters/, "tools$1.input_schema"],
  [/^tools(\[\d+\])\.function/, "tools$1"],
  [/^tool_choice\.function/, "tool_choice"],
];

/** @throws NibbleError `invalid_request` that names the field */
export function readMessagesRequest(body: unknown): MessagesRequest {
  const fields = new Fields(body, FIELDS);
  const conversation = readConversation(fields);
  const maxTokens = fields.number("max_tokens", { min: 1, integer: true });
  if (maxTokens === undefined) throw invalid("max_tokens", "an integer from 1", undefined);
  fields.oneOf("service_tier", ["auto", "standard_only"]);
  const metadata = fields.get("metadata");
  if (metadata !== undefined) new Fields(metadata, ["user_id"], "metadata").string("user_id", 1024);
  return {
    stream: fields.boolean("stream") ?? false,
    thinking: conversation.thinking,
    chat: {
      ...conversation.chat,
      max_tokens: maxTokens,
      stop: fields.array("stop_sequences", MAX_BLOCKS),
      temperature: fields.get("temperature"),
      top_p: fields.get("top_p"),
      top_k: fields.get("top_k"),
    },
  };
}

/** The part that /v1/messages/count_tokens takes. @throws NibbleError `invalid_request` that names the field */
export function readCountRequest(body: unknown): Body {
  return readConversation(new Fields(body, CONVERSATION)).chat;
}

function readConversation(fields: Fields): { thinking: boolean; chat: Body } {
  checkCacheControl(fields);
  const messages = fields.array("messages", MAX_MESSAGES);
  if (!messages || messages.length === 0) throw invalid("messages", `1 to ${MAX_MESSAGES} messages`, messages);
  const system = readTexts(fields, "system");
  const tools = fields.array("tools", MAX_TOOLS)?.map(readTool);
  const { shown, budget } = readThinking(fields.get("thinking"));
  const { effort, format } = readOutputConfig(fields.get("output_config"));
  return {
    thinking: shown,
    chat: {
      messages: [
        ...(system === undefined ? [] : [{ role: "system", content: system }]),
        ...messages.flatMap((message, i) => readMessage(message, `messages[${i}]`)),
      ],
      tools: tools && tools.length > 0 ? tools : undefined,
      ...readToolChoice(fields.get("tool_choice")),
      ...(budget === undefined ? { reasoning_effort: effort } : { reasoning_budget: budget }),
      response_format: format,
    },
  };
}

function readMessage(value: unknown, name: string): Body[] {
  const fields = new Fields(value, ["role", "content"], name);
  const role = fields.oneOf("role", ["user", "assistant", "system"]);
  if (role === undefined) throw fields.invalid("role", '"user" or "assistant"', role);
  if (role === "system") return [{ role, content: readTexts(fields, "content") ?? "" }];
  const content = fields.get("content");
  if (typeof content === "string") return [{ role, content }];
  const blocks = fields.array("content", MAX_BLOCKS);
  if (blocks === undefined) throw fields.invalid("content", "a string or an array of blocks", content);
  const param = (i: number): string => `${fields.param("content")}[${i}]`;
  return role === "user" ? readUserBlocks(blocks, param) : [readAssistantBlocks(blocks, param)];
}

/** Results of tools are messages of their own, as the engine's templates take them. */
function readUserBlocks(blocks: readonly unknown[], param: (i: number) => string): Body[] {
  const messages: Body[] = [];
  let text: string | undefined;
  for (const [i, value] of blocks.entries()) {
    const type = blockType(value, param(i), ["text", "tool_result"]);
    if (type === "text") {
      text = (text ?? "") + readText(value, param(i));
      continue;
    }
    if (text !== undefined) messages.push({ role: "user", content: text });
    text = undefined;
    const fields = new Fields(value, ["type", "tool_use_id", "content", "is_error", "cache_control"], param(i));
    checkCacheControl(fields);
    fields.boolean("is_error");
    const id = fields.string("tool_use_id", 256);
    if (id === undefined) throw fields.invalid("tool_use_id", "a string", id);
    messages.push({ role: "tool", tool_call_id: id, content: readTexts(fields, "content") ?? "" });
  }
  if (text !== undefined || messages.length === 0) messages.push({ role: "user", content: text ?? "" });
  return messages;
}

function readAssistantBlocks(blocks: readonly unknown[], param: (i: number) => string): Body {
  let content = "";
  let reasoning = "";
  const calls: object[] = [];
  for (const [i, value] of blocks.entries()) {
    const type = blockType(value, param(i), ["text", "thinking", "redacted_thinking", "tool_use"]);
    if (type === "text") content += readText(value, param(i));
    else if (type === "thinking") {
      const fields = new Fields(value, ["type", "thinking", "signature"], param(i));
      fields.string("signature", Infinity);
      reasoning += fields.string("thinking", Infinity) ?? "";
    } else if (type === "tool_use") calls.push(readToolUse(value, param(i)));
  }
  return {
    role: "assistant",
    content,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function readToolUse(value: unknown, name: string): object {
  const fields = new Fields(value, ["type", "id", "name", "input", "caller", "cache_control"], name);
  checkCacheControl(fields);
  const id = fields.string("id", 256);
  const tool = fields.string("name", 256);
  const input = fields.get("input") ?? {};
  if (id === undefined) throw fields.invalid("id", "a string", id);
  if (tool === undefined) throw fields.invalid("name", "a string", tool);
  if (typeof input !== "object" || Array.isArray(input)) throw fields.invalid("input", "an object", input);
  return { id, type: "function", function: { name: tool, arguments: JSON.stringify(input) } };
}

function blockType<T extends string>(value: unknown, name: string, types: readonly T[]): T {
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined;
  const found = types.find((one) => one === type);
  if (found !== undefined) return found;
  throw invalid(`${name}.type`, types.map((one) => `"${one}"`).join(" or "), type);
}

function readText(value: unknown, name: string): string {
  const fields = new Fields(value, ["type", "text", "citations", "cache_control"], name);
  checkCacheControl(fields);
  fields.array("citations", MAX_BLOCKS);
  const text = fields.string("text", Infinity);
  if (text === undefined) throw fields.invalid("text", "a string", text);
  return text;
}

/** A string, or blocks of text as one. */
function readTexts(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  if (value === undefined || typeof value === "string") return value;
  if (!Array.isArray(value) || value.length > MAX_BLOCKS) throw fields.invalid(key, "a string or text blocks", value);
  const name = (i: number): string => `${fields.param(key)}[${i}]`;
  return value.map((block, i) => blockType(block, name(i), ["text"]) && readText(block, name(i))).join("");
}

function readTool(value: unknown, i: number): object {
  const known = ["type", "name", "description", "input_schema", "strict", "eager_input_streaming", "cache_control"];
  const fields = new Fields(value, known, `tools[${i}]`);
  checkCacheControl(fields);
  fields.oneOf("type", ["custom"]);
  fields.boolean("eager_input_streaming");
  return {
    type: "function",
    function: {
      name: fields.get("name"),
      description: fields.get("description"),
      parameters: fields.get("input_schema"),
      strict: fields.boolean("strict"),
    },
  };
}

function readToolChoice(value: unknown): Body {
  if (value === undefined) return {};
  const fields = new Fields(value, ["type", "name", "disable_parallel_tool_use"], "tool_choice");
  const single = fields.boolean("disable_parallel_tool_use");
  const type = fields.oneOf("type", ["auto", "any", "none", "tool"]);
  if (type === undefined) throw fields.invalid("type", '"auto", "any", "none" or "tool"', type);
  const named = { type: "function", function: { name: fields.string("name", 256) } };
  return {
    tool_choice: type === "tool" ? named : type === "any" ? "required" : type,
    parallel_tool_calls: single === undefined ? undefined : !single,
  };
}

/** Whether reasoning is shown, and how many tokens it may have; undefined: as many as the model wants. */
function readThinking(value: unknown): { shown: boolean; budget: number | undefined } {
  if (value === undefined) return { shown: true, budget: undefined };
  const fields = new Fields(value, ["type", "budget_tokens", "display"], "thinking");
  const budget = fields.number("budget_tokens", { min: 1, integer: true });
  const display = fields.oneOf("display", ["summarized", "omitted"]);
  const type = fields.oneOf("type", ["enabled", "disabled", "adaptive"]);
  if (type === undefined) throw fields.invalid("type", '"enabled", "disabled" or "adaptive"', type);
  return type === "disabled" ? { shown: false, budget: 0 } : { shown: display !== "omitted", budget };
}

function readOutputConfig(value: unknown): { effort?: string | undefined; format?: object } {
  if (value === undefined) return {};
  const fields = new Fields(value, ["effort", "format"], "output_config");
  const effort = fields.oneOf("effort", ["low", "medium", "high", "xhigh", "max"]);
  const format = fields.get("format");
  if (format === undefined) return { effort };
  const inner = new Fields(format, ["type", "schema"], "output_config.format");
  if (inner.oneOf("type", ["json_schema"]) === undefined) throw inner.invalid("type", '"json_schema"', undefined);
  const schema = { name: "output", schema: inner.get("schema"), strict: true };
  return { effort, format: { type: "json_schema", json_schema: schema } };
}

/** Prefixes are kept without being asked. */
function checkCacheControl(fields: Fields): void {
  const value = fields.get("cache_control");
  if (value === undefined) return;
  const inner = new Fields(value, ["type", "ttl"], fields.param("cache_control"));
  inner.oneOf("type", ["ephemeral"]);
  inner.oneOf("ttl", ["5m", "1h"]);
}
