/**
 * From a body of OpenAI's /v1/responses to a chat completion's. Its fields are named as that API names them.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import { REASONING_EFFORTS } from "../../../engine/request/reasoning-fields.ts";
import type { Body } from "../../engine-calls.ts";
import type { FieldNames } from "../../errors.ts";
import { withoutUnused } from "../unused-fields.ts";
import { readItems } from "./items.ts";
import { readTool, readToolChoice } from "./tools.ts";

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
/** The value of `include` that asks for log-probabilities. */
const LOGPROBS = "message.output_text.logprobs";
const INCLUDES = ["reasoning.encrypted_content", LOGPROBS];
const MAX_TOOLS = 128;
const MAX_INCLUDES = 1024;

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

/** @throws NibbleError `invalid_request` that names the field */
export function readResponsesRequest(body: unknown): ResponsesRequest {
  const fields = new Fields(withoutUnused(body), FIELDS);
  const stream = fields.boolean("stream") ?? false;
  checkStreamOptions(fields, stream);
  fields.oneOf("truncation", ["disabled"]);
  if (fields.boolean("background")) throw fields.invalid("background", "false", true);
  const metadata = (body as { metadata?: unknown }).metadata ?? {};
  return { stream, chat: readChat(fields), echo: { ...readEcho(fields), metadata } };
}

function readChat(fields: Fields): Body {
  const instructions = fields.string("instructions", Infinity);
  const input = fields.get("input");
  const messages = typeof input === "string" ? [{ role: "user", content: input }] : readItems(fields);
  const tools = fields.array("tools", MAX_TOOLS) ?? [];
  const topLogprobs = fields.get("top_logprobs");
  return {
    messages: [...(instructions === undefined ? [] : [{ role: "system", content: instructions }]), ...messages],
    max_tokens: fields.number("max_output_tokens", { min: 1, integer: true }),
    temperature: fields.get("temperature"),
    top_p: fields.get("top_p"),
    user: fields.get("user"),
    tools: tools.length > 0 ? tools.map(readTool) : undefined,
    tool_choice: readToolChoice(fields.get("tool_choice")),
    parallel_tool_calls: fields.boolean("parallel_tool_calls") ?? true,
    response_format: readTextFormat(fields.get("text")),
    reasoning_effort: readEffort(fields.get("reasoning")),
    logprobs: readIncludes(fields).includes(LOGPROBS) || topLogprobs !== undefined,
    top_logprobs: topLogprobs,
  };
}

/** The defaults are OpenAI's. */
function readEcho(fields: Fields): Body {
  return {
    instructions: fields.get("instructions") ?? null,
    max_output_tokens: fields.get("max_output_tokens") ?? null,
    temperature: fields.get("temperature") ?? null,
    top_p: fields.get("top_p") ?? null,
    top_logprobs: fields.get("top_logprobs") ?? 0,
    tools: fields.get("tools") ?? [],
    tool_choice: fields.get("tool_choice") ?? "auto",
    parallel_tool_calls: fields.get("parallel_tool_calls") ?? true,
    text: fields.get("text") ?? { format: { type: "text" } },
    reasoning: fields.get("reasoning") ?? { effort: null, summary: null },
    user: fields.get("user") ?? null,
  };
}

function readIncludes(fields: Fields): readonly unknown[] {
  const include = fields.array("include", MAX_INCLUDES) ?? [];
  for (const [i, one] of include.entries())
    if (!INCLUDES.some((known) => known === one)) throw invalid(`include[${i}]`, INCLUDES.join(" or "), one ?? null);
  return include;
}

/** @returns a chat completion's `response_format` */
function readTextFormat(value: unknown): unknown {
  if (value === undefined) return undefined;
  const fields = new Fields(value, ["format", "verbosity"], "text");
  fields.oneOf("verbosity", ["low", "medium", "high"]);
  const format = fields.get("format");
  if (format === undefined) return undefined;
  const inner = fields.nested(format, ["type", "name", "description", "schema", "strict"], "format");
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
  fields.nested(value, ["include_obfuscation"], "stream_options").boolean("include_obfuscation");
}
