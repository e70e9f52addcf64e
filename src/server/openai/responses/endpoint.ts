/**
 * OpenAI's /v1/responses. Nothing is stored: a conversation comes whole with every request.
 * @module
 */
import type { ChatCompletionChunk } from "../../../engine/openai/chat-types.ts";
import type { Prepared } from "../../answer.ts";
import { blocksOf, randomId } from "../../blocks.ts";
import type { Call } from "../../call.ts";
import { openChat } from "../../engine-calls.ts";
import { errorBody } from "../../errors.ts";
import { sseEvent } from "../../streams.ts";
import { responseEvents } from "./events.ts";
import { RESPONSES_NAMES, readResponsesRequest } from "./request.ts";
import { collectResponse } from "./response.ts";

/** These fields of a response never change. */
const FIXED = {
  background: false,
  store: false,
  previous_response_id: null,
  truncation: "disabled",
  service_tier: "default",
  error: null,
};

/** @throws NibbleError that names the field */
export async function prepareResponse(call: Call, signal: AbortSignal): Promise<Prepared<ChatCompletionChunk>> {
  const { stream, chat, echo } = readResponsesRequest(call.body);
  const chunks = await openChat(call, chat, { signal, names: RESPONSES_NAMES });
  const start = {
    id: randomId("resp"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: call.model.info.name,
    ...echo,
    ...FIXED,
  };
  return {
    stream,
    chunks,
    collect: (from) => collectResponse(start, blocksOf(from)),
    events: (from) => responseEvents(start, blocksOf(from)),
    failure: (error) => {
      const { error: details } = errorBody(error, "openai") as { error: object };
      return sseEvent({ ...details, type: "error", sequence_number: 0 }, "error");
    },
  };
}
