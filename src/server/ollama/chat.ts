/**
 * Ollama's /api/chat.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields } from "../../base/fields.ts";
import type { ChatCompletionChunk } from "../../engine/openai/chat-types.ts";
import type { Prepared } from "../answer.ts";
import type { Body } from "../body.ts";
import type { Call } from "../call.ts";
import { openChat } from "../engine-calls.ts";
import { answerStyle, type Piece, prepareAnswer } from "./answer.ts";
import { onlyLoads } from "./load.ts";
import { readMessages } from "./messages.ts";
import { OPTION_NAMES, readFormat, readKeepAlive, readOptions, readThink } from "./options.ts";

export const OLLAMA_CHAT_FIELDS: FieldTable = {
  known: [
    "model",
    "messages",
    "tools",
    "format",
    "options",
    "stream",
    "keep_alive",
    "think",
    "logprobs",
    "top_logprobs",
  ],
  // A prompt that is too long is refused, whatever these say.
  unused: ["truncate", "shift"],
};

/** @throws NibbleError that names the field */
export async function prepareOllamaChat(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const fields = new Fields(call.body, OLLAMA_CHAT_FIELDS, "", call.exchange.rules);
  const stream = fields.boolean("stream") ?? true;
  call.lease.keepAliveMs = readKeepAlive(fields);
  const messages = readMessages(fields);
  if (messages.length === 0) return onlyLoads(call, stream, { message: { role: "assistant", content: "" } });
  const chunks = await openChat(call, chatOf(fields, messages), { signal, names: OPTION_NAMES });
  return prepareAnswer(answerStyle(call, showMessage), stream, chunks);
}

function chatOf(fields: Fields, messages: readonly Body[]): Body {
  const tools = fields.get("tools");
  return {
    messages,
    tools: Array.isArray(tools) && tools.length === 0 ? undefined : tools,
    response_format: readFormat(fields),
    logprobs: fields.get("logprobs"),
    top_logprobs: fields.get("top_logprobs"),
    ...readThink(fields),
    ...readOptions(fields),
  };
}

function showMessage({ content = "", thinking, calls, logprobs }: Piece): object {
  const message = { role: "assistant", content, ...(thinking && { thinking }), ...(calls && { tool_calls: calls }) };
  return { message, ...(logprobs && { logprobs }) };
}
