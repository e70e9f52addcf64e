/**
 * Turns a body of OpenAI's /v1/responses into that of a chat completion. Errors name fields as that API does.
 * @module
 */
import { Fields } from "../../../base/fields.ts";
import { SAMPLING_FIELDS } from "../../../engine/request/field-tables.ts";
import { REASONING_EFFORTS } from "../../../engine/request/reasoning-efforts.ts";
import type { Body } from "../../body.ts";
import type { FieldNames } from "../../errors.ts";
import type { Exchange } from "../../route.ts";
import { FORMAT_FIELDS, REASONING_FIELDS, RESPONSES_FIELDS, STREAM_OPTIONS, TEXT_FIELDS } from "./field-tables.ts";
import { readInput } from "./items.ts";
import { previousMessages } from "./stored.ts";
import { readToolChoice, readTools } from "./tools.ts";

/** The values of `include` that change an answer here. Others ask for results of tools that OpenAI runs. */
const LOGPROBS = "message.output_text.logprobs";
const ENCRYPTED_REASONING = "reasoning.encrypted_content";
const MAX_INCLUDES = 64;

export interface ResponsesRequest {
  readonly stream: boolean;
  readonly chat: Body & { readonly messages: readonly Body[] };
  /** Messages at the beginning that are instructions, not conversation. */
  readonly instructions: number;
  /** Whether older messages may be left out where the context is too short. */
  readonly truncate: boolean;
  /** Names of tools whose calls are `custom_tool_call` items. */
  readonly custom: ReadonlySet<string>;
  readonly encryptedReasoning: boolean;
  readonly store: boolean;
  /** Fields that the answer repeats, as the client sent them. */
  readonly echo: Body;
}

/** The engine's names of these fields, and the client's. */
export const RESPONSES_NAMES: FieldNames = [
  [/^(messages|prompt)\b/, "input"],
  [/^max_tokens\b/, "max_output_tokens"],
  [/^response_format(\.json_schema)?/, "text.format"],
  [/^tools(\[\d+\])\.function/, "tools$1"],
  [/^tool_choice\.function/, "tool_choice"],
];

/** @throws NibbleError `invalid_request` that names the field */
export function readResponsesRequest(body: unknown, exchange: Exchange): ResponsesRequest {
  const fields = new Fields(body, RESPONSES_FIELDS, "", exchange.rules);
  const stream = fields.boolean("stream") ?? false;
  fields.nested(fields.get("stream_options") ?? {}, STREAM_OPTIONS, "stream_options");
  const instructions = fields.string("instructions", Infinity);
  const system = instructions === undefined ? [] : [{ role: "system", content: instructions }];
  const tools = readTools(fields, exchange.ignore);
  const includes = readIncludes(fields);
  const messages = [...system, ...previousMessages(fields, exchange), ...readInput(fields, exchange.ignore)];
  return {
    stream,
    chat: { ...readSettings(fields, includes), messages, tools: tools.functions },
    instructions: system.length,
    truncate: fields.oneOf("truncation", ["disabled", "auto"]) === "auto",
    custom: tools.custom,
    encryptedReasoning: includes.includes(ENCRYPTED_REASONING),
    store: fields.boolean("store") ?? true,
    echo: readEcho(fields),
  };
}

function readSettings(fields: Fields, includes: readonly unknown[]): Body {
  const topLogprobs = fields.get("top_logprobs");
  return {
    max_tokens: fields.number("max_output_tokens", { min: 0, integer: true }),
    ...Object.fromEntries(SAMPLING_FIELDS.map((name) => [name, fields.get(name)])),
    tool_choice: readToolChoice(fields),
    parallel_tool_calls: fields.boolean("parallel_tool_calls") ?? true,
    response_format: readTextFormat(fields),
    reasoning_effort: readEffort(fields),
    logprobs: includes.includes(LOGPROBS) || (topLogprobs !== undefined && topLogprobs !== 0),
    top_logprobs: topLogprobs,
    timings_per_token: fields.boolean("timings_per_token"),
    return_progress: fields.boolean("return_progress"),
  };
}

/** The defaults are OpenAI's. */
function readEcho(fields: Fields): Body {
  return {
    instructions: fields.get("instructions") ?? null,
    previous_response_id: fields.get("previous_response_id") ?? null,
    max_output_tokens: fields.get("max_output_tokens") ?? null,
    temperature: fields.get("temperature") ?? null,
    top_p: fields.get("top_p") ?? null,
    top_logprobs: fields.get("top_logprobs") ?? 0,
    tools: fields.get("tools") ?? [],
    tool_choice: fields.get("tool_choice") ?? "auto",
    parallel_tool_calls: fields.get("parallel_tool_calls") ?? true,
    text: fields.get("text") ?? { format: { type: "text" } },
    reasoning: fields.get("reasoning") ?? { effort: null, summary: null },
    truncation: fields.get("truncation") ?? "disabled",
    max_tool_calls: fields.get("max_tool_calls") ?? null,
    prompt_cache_key: fields.get("prompt_cache_key") ?? null,
    safety_identifier: fields.get("safety_identifier") ?? null,
    user: fields.get("user") ?? null,
    metadata: fields.get("metadata") ?? {},
  };
}

function readIncludes(fields: Fields): readonly unknown[] {
  return fields.array("include", MAX_INCLUDES) ?? [];
}

/** @returns a chat completion's `response_format` */
function readTextFormat(request: Fields): unknown {
  const text = request.nested(request.get("text") ?? {}, TEXT_FIELDS, "text");
  const format = text.get("format");
  if (format === undefined) return undefined;
  const fields = text.nested(format, FORMAT_FIELDS, "format");
  const type = fields.oneOf("type", ["text", "json_object", "json_schema"]);
  if (type === undefined) throw fields.invalid("type", '"text", "json_object" or "json_schema"', type);
  if (type !== "json_schema") return { type };
  const [name, description, schema] = ["name", "description", "schema"].map((key) => fields.get(key));
  return { type, json_schema: { name, description, schema, strict: fields.boolean("strict") } };
}

function readEffort(request: Fields): string | undefined {
  const reasoning = request.nested(request.get("reasoning") ?? {}, REASONING_FIELDS, "reasoning");
  return reasoning.oneOf("effort", [...REASONING_EFFORTS.keys()]);
}
