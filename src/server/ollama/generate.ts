/**
 * Ollama's /api/generate: a prompt as the only message of a chat, as it is, or before a gap that ends at a suffix.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { conflict, Fields } from "../../base/fields.ts";
import type { ChatCompletionChunk } from "../../engine/openai/chat-types.ts";
import type { Prepared } from "../answer.ts";
import type { Body } from "../body.ts";
import type { Call } from "../call.ts";
import { openChat, openText } from "../engine-calls.ts";
import type { FieldNames } from "../errors.ts";
import { answerStyle, type Piece, prepareAnswer } from "./answer.ts";
import { onlyLoads } from "./load.ts";
import { IMAGES } from "./messages.ts";
import { OPTION_NAMES, readFormat, readKeepAlive, readOptions, readThink } from "./options.ts";
import { textAsChat } from "./text-as-chat.ts";

const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0);

export const OLLAMA_GENERATE_FIELDS: FieldTable = {
  known: [
    "model",
    "prompt",
    "suffix",
    "system",
    "format",
    "options",
    "stream",
    "raw",
    "keep_alive",
    "think",
    "logprobs",
    "top_logprobs",
  ],
  unused: ["truncate", "shift"],
  unsupported: {
    images: IMAGES,
    context: { instead: "send the conversation to /api/chat", neutral: isEmpty },
    template: {
      instead: "send the whole prompt with raw: true, or start the server with --chat-template",
      neutral: isEmpty,
    },
  },
};

const NAMES: FieldNames = [[/^messages\[\d\]\.content/, "prompt"], ...OPTION_NAMES];

/** @throws NibbleError that names the field */
export async function prepareGenerate(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const fields = new Fields(call.body, OLLAMA_GENERATE_FIELDS, "", call.exchange.rules);
  const stream = fields.boolean("stream") ?? true;
  call.lease.keepAliveMs = readKeepAlive(fields);
  const prompt = fields.string("prompt", Infinity) ?? "";
  if (prompt === "") return onlyLoads(call, stream, { response: "" });
  const options = { signal, names: NAMES };
  const chunks = isText(fields)
    ? textAsChat(await openText(call, { prompt, suffix: fields.get("suffix"), ...settingsOf(fields) }, options))
    : await openChat(
        call,
        { messages: messagesOf(fields, prompt), ...readThink(fields), ...settingsOf(fields) },
        options,
      );
  return prepareAnswer(answerStyle(call, showResponse), stream, chunks);
}

/** A raw prompt, and one with a suffix, whose gap the model fills: both are text completions without a template. */
function isText(fields: Fields): boolean {
  const raw = fields.boolean("raw") ?? false;
  const suffix = fields.string("suffix", Infinity) ?? "";
  if (raw && suffix !== "") throw conflict("suffix", "raw", "a raw prompt is sent as it is");
  return raw || suffix !== "";
}

function messagesOf(fields: Fields, prompt: string): Body[] {
  const system = fields.string("system", Infinity);
  return [...(system ? [{ role: "system", content: system }] : []), { role: "user", content: prompt }];
}

function settingsOf(fields: Fields): Body {
  const text = isText(fields);
  const top = fields.get("top_logprobs");
  const wanted = fields.boolean("logprobs") ?? false;
  // A text completion takes one number, a chat a switch and a number.
  const logprobs = text ? { logprobs: wanted ? (top ?? 0) : undefined } : { logprobs: wanted, top_logprobs: top };
  return { response_format: readFormat(fields), ...logprobs, ...readOptions(fields) };
}

function showResponse({ content = "", thinking, calls, logprobs }: Piece): object {
  return {
    response: content,
    ...(thinking && { thinking }),
    ...(calls && { tool_calls: calls }),
    ...(logprobs && { logprobs }),
  };
}
