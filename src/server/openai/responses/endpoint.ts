/**
 * OpenAI's /v1/responses and /v1/responses/input_tokens.
 * @module
 */
import type { ChatCompletionChunk } from "../../../engine/openai/chat-types.ts";
import type { Prepared } from "../../answer.ts";
import { assistantTurn, type Block, blocksOf, randomId } from "../../blocks.ts";
import type { Call } from "../../call.ts";
import { countPromptTokens, openChat } from "../../engine-calls.ts";
import { errorBody } from "../../errors.ts";
import { sseEvent } from "../../streams.ts";
import { responseEvents } from "./events.ts";
import { RESPONSES_NAMES, type ResponsesRequest, readResponsesRequest } from "./request.ts";
import { collectResponse, type ResponseStyle } from "./response.ts";
import { fitContext } from "./truncate.ts";

/** These fields of a response never change. */
const FIXED = { background: false, service_tier: "default", error: null };

/** @throws NibbleError that names the field */
export async function prepareResponse(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const request = readResponsesRequest(call.body, call.exchange);
  const { stream, chat, truncate, instructions } = request;
  const fitting = truncate ? await fitContext(call, chat, instructions) : chat;
  const chunks = await openChat(call, fitting, { signal, names: RESPONSES_NAMES });
  const style = styleOf(call, request);
  return {
    stream,
    chunks,
    collect: (from) => collectResponse(style, blocksOf(from)),
    events: (from) => responseEvents(style, blocksOf(from)),
    failure: (error) => {
      const { error: details } = errorBody(error, "openai") as { error: object };
      return sseEvent({ ...details, type: "error", sequence_number: 0 }, "error");
    },
  };
}

function styleOf({ model, exchange }: Call, request: ResponsesRequest): ResponseStyle {
  const { chat, instructions, custom, encryptedReasoning, echo } = request;
  const { caller, server } = exchange;
  const { conversations } = server;
  const stores = request.store && conversations.keeps;
  const start = {
    id: randomId("resp"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: model.info.name,
    ...echo,
    ...FIXED,
    store: stores,
  };
  const onEnd = (response: object, blocks: readonly Block[]): void => {
    if (!stores) return;
    const messages = [...chat.messages.slice(instructions), assistantTurn(blocks)];
    conversations.put(start.id, { answer: response, caller, messages });
  };
  return { start, custom, encryptedReasoning, onEnd };
}

/** How many tokens the prompt of such a request would have. */
export async function countResponseTokens(call: Call): Promise<object> {
  const { chat } = readResponsesRequest(call.body, call.exchange);
  return { object: "response.input_tokens", input_tokens: await countPromptTokens(call, chat, RESPONSES_NAMES) };
}
