/**
 * OpenAI's /v1/chat/completions.
 * @module
 */
import { collectChat } from "../../engine/openai/chat.ts";
import type { ChatCompletionChunk } from "../../engine/openai/chat-types.ts";
import type { Prepared } from "../answer.ts";
import type { Call } from "../call.ts";
import { countPromptTokens, openChat } from "../engine-calls.ts";
import type { FieldNames } from "../errors.ts";
import { chunkEvents, failureEvent, fingerprintOf, readStream, withFingerprint } from "./stream.ts";

const CHAT_NAMES: FieldNames = [[/^prompt\b/, "messages"]];

/** @throws NibbleError that names the field */
export async function prepareChat(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const { stream, request } = readStream(call.body);
  const fingerprint = fingerprintOf(call);
  return {
    stream,
    chunks: await openChat(call, request, { signal, names: CHAT_NAMES }),
    collect: async (chunks) => withFingerprint(await collectChat(chunks), fingerprint),
    events: (chunks) => chunkEvents(chunks, fingerprint),
    failure: failureEvent,
  };
}

/** How many tokens the prompt of such a request would have, in llama-server's shape. */
export async function countChatTokens(call: Call): Promise<object> {
  const { request } = readStream(call.body);
  return {
    object: "response.input_tokens",
    input_tokens: await countPromptTokens(call, request, CHAT_NAMES),
  };
}
