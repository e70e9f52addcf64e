/**
 * Turns a body of Anthropic's /v1/messages into that of a chat completion. Errors name fields as that API does.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import { MAX_MESSAGES } from "../../../engine/request/messages.ts";
import type { Body } from "../../body.ts";
import type { FieldNames } from "../../errors.ts";
import type { Exchange } from "../../route.ts";
import { readTexts } from "./block-text.ts";
import { readMessage } from "./content.ts";
import { MESSAGES_FIELDS, OUTPUT_CONFIG_FIELDS, OUTPUT_FORMAT_FIELDS, THINKING_FIELDS } from "./field-tables.ts";
import { readThread, type Thread } from "./thread.ts";
import { readToolChoice, readTools } from "./tools.ts";

const MAX_STOPS = 1024;

export interface MessagesRequest {
  readonly stream: boolean;
  /** Whether the client wants to see reasoning. */
  readonly thinking: boolean;
  readonly thread: Thread;
  readonly chat: Conversation;
}

/** A chat request with the messages in hand. */
type Conversation = Body & { readonly messages: readonly Body[] };

/** The engine's names of these fields, and the client's. */
export const MESSAGES_NAMES: FieldNames = [
  [/^stop\b/, "stop_sequences"],
  [/^response_format(\.json_schema)?/, "output_config.format"],
  [/^prompt\b/, "messages"],
  [/^tools(\[\d+\])\.function\.parameters/, "tools$1.input_schema"],
  [/^tools(\[\d+\])\.function/, "tools$1"],
  [/^tool_choice\.function/, "tool_choice"],
];

/** @throws NibbleError `invalid_request` that names the field */
export function readMessagesRequest(body: unknown, exchange: Exchange): MessagesRequest {
  const fields = new Fields(body, MESSAGES_FIELDS, "", exchange.rules);
  const conversation = readConversation(fields, exchange);
  const maxTokens = fields.number("max_tokens", { min: 0, integer: true });
  if (maxTokens === undefined) throw invalid("max_tokens", "an integer from 0", undefined);
  return {
    stream: fields.boolean("stream") ?? false,
    thinking: conversation.thinking,
    thread: conversation.thread,
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

/** The prompt of a request for /v1/messages/count_tokens, which may have all fields of one for an answer. */
export function readCountRequest(body: unknown, exchange: Exchange): Body {
  return readConversation(new Fields(body, MESSAGES_FIELDS, "", exchange.rules), exchange).chat;
}

function readConversation(fields: Fields, exchange: Exchange): Pick<MessagesRequest, "thinking" | "thread" | "chat"> {
  const { ignore } = exchange;
  const messages = fields.array("messages", MAX_MESSAGES);
  if (!messages || messages.length === 0) throw invalid("messages", `1 to ${MAX_MESSAGES} messages`, messages);
  const thread = readThread(fields, exchange);
  const system = readTexts(fields, "system");
  const { shown, budget } = readThinking(fields);
  const { effort, format } = readOutputConfig(fields);
  return {
    thinking: shown,
    thread,
    chat: {
      messages: [
        ...(thread.previous?.messages ?? []),
        ...(system === undefined ? [] : [{ role: "system", content: system }]),
        ...Array.from(messages, (message, i) => readMessage(fields, message, i, ignore)).flat(),
      ],
      tools: thread.previous?.tools ?? readTools(fields, ignore),
      ...readToolChoice(fields),
      ...(budget === undefined ? { reasoning_effort: effort } : { reasoning_budget: budget }),
      response_format: format,
    },
  };
}

/** Whether reasoning is shown, and its budget in tokens; undefined for no limit. */
function readThinking(request: Fields): { shown: boolean; budget: number | undefined } {
  const value = request.get("thinking");
  if (value === undefined) return { shown: true, budget: undefined };
  const fields = request.nested(value, THINKING_FIELDS, "thinking");
  const budget = fields.number("budget_tokens", { min: 1, integer: true });
  const display = fields.oneOf("display", ["summarized", "omitted"]);
  const type = fields.oneOf("type", ["enabled", "disabled", "adaptive"]);
  if (type === undefined) throw fields.invalid("type", '"enabled", "disabled" or "adaptive"', type);
  return type === "disabled" ? { shown: false, budget: 0 } : { shown: display !== "omitted", budget };
}

/** `output_format` is the older place of the format. */
function readOutputConfig(request: Fields): { effort: string | undefined; format: object | undefined } {
  const fields = request.nested(request.get("output_config") ?? {}, OUTPUT_CONFIG_FIELDS, "output_config");
  const effort = fields.oneOf("effort", ["low", "medium", "high", "xhigh", "max"]);
  const format = readFormat(fields, "format") ?? readFormat(request, "output_format");
  return { effort, format };
}

function readFormat(fields: Fields, key: string): object | undefined {
  const format = fields.get(key);
  if (format === undefined) return undefined;
  const inner = fields.nested(format, OUTPUT_FORMAT_FIELDS, key);
  if (inner.oneOf("type", ["json_schema"]) === undefined) throw inner.invalid("type", '"json_schema"', undefined);
  const schema = { name: "output", schema: inner.get("schema"), strict: true };
  return { type: "json_schema", json_schema: schema };
}
