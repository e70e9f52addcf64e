/**
 * From a body of OpenAI's /v1/responses to a chat completion's. What is checked here is named as that API names it.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import { REASONING_EFFORTS } from "../../engine/request/reasoning-effort.ts";
import { MAX_MESSAGES } from "../../engine/request/request.ts";
import type { FieldNames } from "../errors.ts";
import { type Body, withoutUnused } from "./completions.ts";

const FIELDS = [
  "model",
  "input",
  "instructions",
  "max_output_tokens",
  "temperature",
  "top_p",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "truncation",
  "include",
  "top_logprobs",
  "background",
  "user",
];
/** What `include` calls log-probabilities. */
const LOGPROBS = "message.output_text.logprobs";
const ROLES = ["user", "assistant", "system", "developer"] as const;
const MAX_TOOLS = 128;
const MAX_PARTS = 1024;

export interface ResponsesRequest {
  readonly stream: boolean;
  readonly chat: Body;
  /** Fields that the answer repeats, as the client sent them. */
  readonly echo: Body;
}

/** What the engine calls these fields, and what the client does. */
export const RESPONSES_NAMES: FieldNames = [
  [/^(messages|prompt)\b/, "input"],
  [/^max_tokens\b/, "max_output_tokens"],
  [/^response_format(\.json_schema)?/, "text.format"],
  [/^tools(\[\d+\])\.function/, "tools$1"],
  [/^tool_choice\.function/, "tool_choice"],
];
const INCLUDES = ["reasoning.encrypted_content", LOGPROBS];

/** @throws NibbleError `invalid_request` that names the field */
export function readResponsesRequest(body: unknown): ResponsesRequest {
  const fields = new Fields(withoutUnused(body), FIELDS);
  const instructions = fields.string("instructions", Infinity);
  const input = fields.get("input");
  const messages = typeof input === "string" ? [{ role: "user", content: input }] : readItems(fields);
  const tools = fields.array("tools", MAX_TOOLS) ?? [];
  const choice = fields.get("tool_choice");
  const parallel = fields.boolean("parallel_tool_calls") ?? true;
  const text = readText(fields.get("text"));
  const stream = fields.boolean("stream") ?? false;
  const topLogprobs = fields.get("top_logprobs");
  const effort = readEffort(fields.get("reasoning"));
  checkStreamOptions(fields, stream);
  fields.oneOf("truncation", ["disabled"]);
  const include = fields.array("include", MAX_PARTS) ?? [];
  include.forEach((one, i) => {
    if (!INCLUDES.some((known) => known === one)) throw invalid(`include[${i}]`, INCLUDES.join(" or "), one);
  });
  if (fields.boolean("background")) throw fields.invalid("background", "false", true);
  const maxTokens = fields.number("max_output_tokens", { min: 1, integer: true });
  return {
    stream,
    chat: {
      messages: [...(instructions === undefined ? [] : [{ role: "system", content: instructions }]), ...messages],
      max_tokens: maxTokens,
      temperature: fields.get("temperature"),
      top_p: fields.get("top_p"),
      user: fields.get("user"),
      tools: tools.length > 0 ? tools.map(readTool) : undefined,
      tool_choice: readToolChoice(choice),
      parallel_tool_calls: parallel,
      response_format: text,
      reasoning_effort: effort,
      logprobs: include.includes(LOGPROBS) || topLogprobs !== undefined,
      top_logprobs: topLogprobs,
    },
    echo: {
      instructions: instructions ?? null,
      max_output_tokens: maxTokens ?? null,
      temperature: fields.get("temperature") ?? null,
      top_p: fields.get("top_p") ?? null,
      top_logprobs: topLogprobs ?? 0,
      tools,
      tool_choice: choice ?? "auto",
      parallel_tool_calls: parallel,
      text: fields.get("text") ?? { format: { type: "text" } },
      reasoning: fields.get("reasoning") ?? { effort: null, summary: null },
      user: fields.get("user") ?? null,
      metadata: (body as { metadata?: unknown }).metadata ?? {},
    },
  };
}

function readItems(fields: Fields): Body[] {
  const items = fields.array("input", MAX_MESSAGES);
  if (!items || items.length === 0) throw fields.invalid("input", `a string or 1 to ${MAX_MESSAGES} items`, items);
  const messages: Body[] = [];
  for (const [i, item] of items.entries()) {
    const message = readItem(item, `input[${i}]`);
    const before = messages.at(-1);
    // Reasoning, text and calls of one turn come as items of their own; a chat template wants them as one message.
    if (message.role === "assistant" && before?.role === "assistant")
      messages[messages.length - 1] = merge(before, message);
    else messages.push(message);
  }
  return messages;
}

function merge(a: Body, b: Body): Body {
  const text = (key: string): string => `${a[key] ?? ""}${b[key] ?? ""}`;
  const calls = [a, b].flatMap((one) => (one.tool_calls ?? []) as unknown[]);
  return {
    role: "assistant",
    content: text("content"),
    ...(text("reasoning_content") && { reasoning_content: text("reasoning_content") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function readItem(item: unknown, name: string): Body {
  const type = typeof item === "object" && item !== null ? ((item as { type?: unknown }).type ?? "message") : undefined;
  if (type === "message") return readMessage(item, name);
  if (type === "function_call") {
    const fields = new Fields(item, ["type", "id", "call_id", "name", "arguments", "status"], name);
    const [id, tool, text] = ["call_id", "name", "arguments"].map((key) => required(fields, key));
    const call = { id, type: "function", function: { name: tool, arguments: text } };
    return { role: "assistant", content: "", tool_calls: [call] };
  }
  if (type === "function_call_output") {
    const fields = new Fields(item, ["type", "id", "call_id", "output", "status"], name);
    const id = required(fields, "call_id");
    return { role: "tool", tool_call_id: id, content: readParts(fields, "output", ["input_text"]) };
  }
  if (type === "reasoning") {
    const known = ["type", "id", "summary", "content", "encrypted_content", "status"];
    const fields = new Fields(item, known, name);
    fields.array("summary", MAX_PARTS);
    const given = fields.get("content") !== undefined;
    const reasoning = given ? readParts(fields, "content", ["reasoning_text"]) : "";
    return { role: "assistant", content: "", reasoning_content: reasoning };
  }
  throw invalid(`${name}.type`, '"message", "function_call", "function_call_output" or "reasoning"', type);
}

function readMessage(item: unknown, name: string): Body {
  const fields = new Fields(item, ["type", "id", "role", "content", "status", "phase"], name);
  const role = fields.oneOf("role", ROLES);
  if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
  return { role, content: readParts(fields, "content", ["input_text", "output_text"]) };
}

function readParts(fields: Fields, key: string, types: readonly string[]): string {
  const value = fields.get(key);
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length > MAX_PARTS) throw fields.invalid(key, "a string or parts of text", value);
  return value
    .map((part, i) => {
      const inner = new Fields(part, ["type", "text", "annotations", "logprobs"], `${fields.param(key)}[${i}]`);
      if (inner.oneOf("type", types) === undefined) throw inner.invalid("type", types.join(" or "), undefined);
      return required(inner, "text");
    })
    .join("");
}

function required(fields: Fields, key: string): string {
  const value = fields.string(key, Infinity);
  if (value === undefined) throw fields.invalid(key, "a string", value);
  return value;
}

/** The fields of a function stand beside its type here, below it in a chat completion. */
function readTool(value: unknown, i: number): object {
  const fields = new Fields(value, ["type", "name", "description", "parameters", "strict"], `tools[${i}]`);
  if (fields.oneOf("type", ["function"]) === undefined) throw fields.invalid("type", '"function"', undefined);
  const [name, description, parameters] = ["name", "description", "parameters"].map((key) => fields.get(key));
  return { type: "function", function: { name, description, parameters, strict: fields.boolean("strict") } };
}

function readToolChoice(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (typeof value !== "object") return value;
  const fields = new Fields(value, ["type", "name"], "tool_choice");
  if (fields.oneOf("type", ["function"]) === undefined) throw fields.invalid("type", '"function"', undefined);
  return { type: "function", function: { name: fields.string("name", 256) } };
}

/** @returns a chat completion's `response_format` */
function readText(value: unknown): unknown {
  if (value === undefined) return undefined;
  const fields = new Fields(value, ["format", "verbosity"], "text");
  fields.oneOf("verbosity", ["low", "medium", "high"]);
  const format = fields.get("format");
  if (format === undefined) return undefined;
  const inner = new Fields(format, ["type", "name", "description", "schema", "strict"], "text.format");
  const type = inner.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type === undefined) throw inner.invalid("type", '"text", "json_object" or "json_schema"', type);
  if (type !== "json_schema") return { type };
  const [name, description, schema] = ["name", "description", "schema"].map((key) => inner.get(key));
  return { type, json_schema: { name, description, schema, strict: inner.boolean("strict") } };
}

function readEffort(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const fields = new Fields(value, ["effort", "summary"], "reasoning");
  fields.oneOf("summary", ["auto", "concise", "detailed"]);
  return fields.oneOf("effort", [...REASONING_EFFORTS.keys()]);
}

function checkStreamOptions(fields: Fields, stream: boolean): void {
  const value = fields.get("stream_options");
  if (value === undefined) return;
  if (!stream) throw invalid("stream_options", "stream: true with it", value);
  new Fields(value, ["include_obfuscation"], "stream_options").boolean("include_obfuscation");
}
