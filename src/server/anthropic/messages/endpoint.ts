/**
 * Anthropic's /v1/messages and /v1/messages/count_tokens.
 * @module
 */
import type { ChatCompletionChunk } from "../../../engine/openai/chat-types.ts";
import type { Prepared } from "../../answer.ts";
import { assistantTurn, type Block, type BlockEvent, blocksOf, randomId, whenEnded } from "../../blocks.ts";
import type { Call } from "../../call.ts";
import { countPromptTokens, openChat } from "../../engine-calls.ts";
import { errorBody } from "../../errors.ts";
import { sseEvent } from "../../streams.ts";
import { messageEvents } from "./events.ts";
import { collectMessage } from "./message.ts";
import { MESSAGES_NAMES, readCountRequest, readMessagesRequest } from "./request.ts";

/** @throws NibbleError that names the field */
export async function prepareMessage(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const { stream, thinking, thread, chat } = readMessagesRequest(call.body, call.exchange);
  const chunks = await openChat(call, chat, { signal, names: MESSAGES_NAMES });
  const start = { id: randomId("msg"), type: "message", role: "assistant", model: call.model.info.name };
  const tokens = stream ? await countPromptTokens(call, chat, MESSAGES_NAMES) : 0;
  const keep = (blocks: readonly Block[]): void => {
    const messages = [...chat.messages, assistantTurn(blocks)];
    const { caller, server } = call.exchange;
    if (thread.keep) server.conversations.put(start.id, { answer: start, caller, messages, tools: chat.tools });
  };
  const parts = (from: AsyncIterable<ChatCompletionChunk>): AsyncIterable<BlockEvent> =>
    whenEnded(blocksOf(from, thinking), keep);
  return {
    stream,
    chunks,
    collect: (from) => collectMessage(start, parts(from)),
    events: (from) => messageEvents(start, tokens, parts(from)),
    failure: (error) => sseEvent(errorBody(error, "anthropic"), "error"),
  };
}

/** How many tokens the prompt of such a request would have. */
export async function countTokens(call: Call): Promise<object> {
  const chat = readCountRequest(call.body, call.exchange);
  return { input_tokens: await countPromptTokens(call, chat, MESSAGES_NAMES) };
}
