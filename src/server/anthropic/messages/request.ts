/**
 * From a body of Anthropic's /v1/messages to a chat completion's. Its fields are named as that API names them.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import { MAX_MESSAGES } from "../../../engine/request/messages.ts";
import type { Body } from "../../engine-calls.ts";
import type { FieldNames } from "../../errors.ts";
import { checkCacheControl } from "./cache-control.ts";
import { readMessage, readTexts } from "./content.ts";
import { readTool, readToolChoice } from "./tools.ts";

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
const MAX_STOPS = 1024;

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
      stop: fields.array("stop_sequences", MAX_STOPS),
      temperature: fields.get("temperature"),
      top_p: fields.get("top_p"),
      top_k: fields.get("top_k"),
    },
  };
}

/** The part of the request that /v1/messages/count_tokens takes. @throws NibbleError `invalid_request` that names the field */
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
